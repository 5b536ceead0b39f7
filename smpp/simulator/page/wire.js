// A websocket to the simulator: JSON both ways, sound this way; comes back by itself.

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 5000;

export function connect({ path, onMessage, onState, onSound }) {
  let socket = null;
  let wait = FIRST_WAIT_MS;

  function open() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(`${scheme}//${location.host}/${path}`);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => {
      wait = FIRST_WAIT_MS;
      onState(true);
    });
    socket.addEventListener("message", ({ data }) => {
      if (typeof data === "string") onMessage(JSON.parse(data));
      else onSound(new Uint8Array(data));
    });
    socket.addEventListener("close", () => {
      onState(false);
      setTimeout(open, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    });
  }

  open();
  return {
    // False when the simulator is away: nothing was sent.
    send(message) {
      if (socket.readyState !== WebSocket.OPEN) return false;
      socket.send(JSON.stringify(message));
      return true;
    },
  };
}
