// What the telephone says: A-law (ITU-T G.711), 8,000 octets a second, played as it comes.

const RATE = 8000;
const AHEAD_S = 0.1; // so that a packet that is late makes no gap
const MOST_AHEAD_S = 1; // more is thrown away: the page has been asleep

function linear(octet) {
  const bits = octet ^ 0x55;
  const exponent = (bits >> 4) & 7;
  const mantissa = (bits & 15) << 4;
  const size = exponent ? (mantissa + 0x108) << (exponent - 1) : mantissa + 8;
  return (bits & 0x80 ? size : -size) / 32768;
}

const LINEAR = Float32Array.from({ length: 256 }, (_, octet) => linear(octet));

export function speaker() {
  let context = null;
  let next = 0; // when the following packet begins

  return {
    // To be called in a click: without one no browser plays anything.
    open() {
      context ??= new AudioContext({ sampleRate: RATE });
      context.resume();
    },
    play(octets) {
      if (!context || next > context.currentTime + MOST_AHEAD_S) return;
      const buffer = context.createBuffer(1, octets.length, RATE);
      buffer.copyToChannel(Float32Array.from(octets, (octet) => LINEAR[octet]), 0);
      const source = context.createBufferSource();
      source.buffer = buffer;
      source.connect(context.destination);
      if (next < context.currentTime) next = context.currentTime + AHEAD_S;
      source.start(next);
      next += buffer.duration;
    },
    close() {
      context?.close();
      context = null;
      next = 0;
    },
  };
}

const TONE_HZ = 425;
const TONE_S = 1;
const TONE_EVERY_MS = 4000;

// What a telephone that rings sounds like, where the browser lets a page be heard that nobody has clicked yet.
export function bell() {
  let ringing = 0;

  function tone() {
    const context = new AudioContext();
    const wave = new OscillatorNode(context, { frequency: TONE_HZ });
    const level = new GainNode(context, { gain: 0.05 });
    wave.connect(level).connect(context.destination);
    wave.start();
    wave.stop(TONE_S);
    setTimeout(() => context.close(), 2000 * TONE_S);
  }

  return {
    ring(on) {
      if (on === Boolean(ringing)) return;
      clearInterval(ringing);
      ringing = 0;
      if (!on) return;
      tone();
      ringing = setInterval(tone, TONE_EVERY_MS);
    },
  };
}
