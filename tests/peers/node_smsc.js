// The SMSC on node's smpp library (npm), as a program: JSON lines in and out (see smsc.py).
// NODE_PATH names the folder that the library was fetched into.
'use strict';

const readline = require('readline');
const smpp = require('smpp');

const OUT_OF_ORDER_WAIT_MS = 50; // answers that gather for this long are given in reverse,
const LONE_WAIT_MS = 1000; // and a lone one waits so long for a second, which a busy machine may bring late

// The test wants the bytes as they came; the library would decode them.
smpp.filters.message.decode = (value) => value;

const sessions = new Map();
let how = {};
let held = [];
let answersAll;
let ids = 0;

const say = (event) => process.stdout.write(JSON.stringify(event) + '\n');

function answerHeld() {
  const now = held.reverse();
  held = [];
  now.forEach((one) => one());
}

function answerLater(session, pdu, messageId) {
  const answer = () => session.send(pdu.response({ message_id: messageId }));
  if (how.out_of_order) {
    held.push(answer);
    if (held.length <= 2) {
      clearTimeout(answersAll);
      answersAll = setTimeout(answerHeld, held.length === 1 ? LONE_WAIT_MS : OUT_OF_ORDER_WAIT_MS);
    }
  } else if (how.answer_delay_ms) {
    setTimeout(answer, how.answer_delay_ms);
  } else {
    answer();
  }
}

function submitted(session, pdu) {
  const messageId = (++ids).toString(16);
  const throttled = how.throttle_next > 0;
  if (throttled) how.throttle_next -= 1;
  const silent = !throttled && how.no_answer;
  const status = throttled ? how.throttle_status : silent ? null : 0;
  const body = pdu.short_message.length ? pdu.short_message : pdu.message_payload || Buffer.alloc(0);
  say({
    event: 'submitted',
    source: pdu.source_addr,
    destination: pdu.destination_addr,
    body: body.toString('hex'),
    data_coding: pdu.data_coding,
    esm_class: pdu.esm_class,
    registered_delivery: pdu.registered_delivery,
    message_id: messageId,
    status,
  });
  // After the journal: what was answered and then killed must stand in it.
  if (throttled) session.send(pdu.response({ command_status: status }));
  else if (!silent) answerLater(session, pdu, messageId);
}

function attend(session) {
  const name = `node-${++ids}`;
  const waiting = new Set();
  const bind = (receives) => (pdu) => {
    session.send(pdu.response({ system_id: 'node' }));
    if (receives) sessions.set(name, { session, waiting });
    say({ event: 'bound', session: name, receives });
  };
  session.socket.setNoDelay(true);
  session.on('bind_transceiver', bind(true));
  session.on('bind_receiver', bind(true));
  session.on('bind_transmitter', bind(false));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('submit_sm', (pdu) => submitted(session, pdu));
  session.on('unknown', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    session.send(pdu.response());
    session.close();
  });
  session.on('unbind_resp', () => session.close());
  session.on('error', (err) => process.stderr.write(`node smpp: ${err.message}\n`));
  session.on('close', () => {
    sessions.delete(name);
    waiting.forEach((id) => say({ event: 'delivered', id, status: null }));
    say({ event: 'unbound', session: name });
  });
}

function tlvs(pairs) {
  const named = {};
  for (const [tag, hex] of pairs) {
    const known = smpp.tlvsById[tag];
    const value = Buffer.from(hex, 'hex');
    named[known.tag] = known.type.read(value, 0, value.length);
  }
  return named;
}

function deliver(command) {
  const last = [...sessions.values()].pop();
  if (!last) {
    say({ event: 'delivered', id: command.id, status: null });
    return;
  }
  last.waiting.add(command.id);
  last.session.deliver_sm(
    {
      source_addr: command.source,
      source_addr_ton: command.source_ton,
      source_addr_npi: command.source_npi,
      destination_addr: command.destination,
      dest_addr_ton: 3,
      short_message: Buffer.from(command.body, 'hex'),
      data_coding: command.data_coding,
      esm_class: command.esm_class,
      ...tlvs(command.tlvs),
    },
    (answer) => {
      last.waiting.delete(command.id);
      say({ event: 'delivered', id: command.id, status: answer.command_status });
    },
  );
}

const server = smpp.createServer(attend);

const verbs = {
  listen: ({ port }) =>
    server.listen(port, '127.0.0.1', () => say({ event: 'listening', port: server.address().port })),
  behave: (command) => {
    how = command;
  },
  deliver,
  unbind: () => sessions.forEach(({ session }) => session.unbind()),
};

const lines = readline.createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const command = JSON.parse(line);
  verbs[command.do](command);
});
lines.on('close', () => process.exit(0));
