// The calls of docs/integrating.md from Node over gRPC, with the packages of package.json and the file reminder.proto.
// Arguments: HOST:PORT of the sidecar, folder of what is still to be told, deadline in milliseconds, proto folder.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { randomUUID } = require('node:crypto');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const [target, outbox, deadlineMs = '300', protos = path.join(__dirname, '../../../proto')] = process.argv.slice(2);
const NOW = civil(new Date());
const VISIT = 'M' + randomUUID();

// Field names as in the proto file, enums as words, big numbers as numbers; fields that were not sent keep their defaults.
const loading = { includeDirs: [protos], keepCase: true, enums: String, longs: Number, defaults: true };
const { reminder } = grpc.loadPackageDefinition(protoLoader.loadSync('reminder/v1/reminder.proto', loading));
const client = new reminder.v1.ReminderService(target, grpc.credentials.createInsecure(), {
  'grpc.enable_http_proxy': 0, // a proxy set for the internet does not know the hospital's machines
  'grpc.max_receive_message_length': -1,
});

let failures = 0;
let silentUntil = 0;
let told = 0;

async function main() {
  fs.mkdirSync(outbox, { recursive: true });
  const before = waiting().length;
  await deliver();
  if (before > 0) console.log(`delivered: ${before - waiting().length}`);

  // 1. An item is chosen: asked about alone, while the doctor types on.
  let lines = [
    line('L1', 'ZD02AAF0221010105329', '妇乐胶囊', 1, 1000),
    line('L2', 'XC02CXY165B002010102918', '银杏达莫注射液', 2, 4860),
    line('L3', 'XA11DAW036A001010104127', '维生素B1片', 1, 1250),
  ];
  await check('select', '2', lines.slice(0, 1));

  // 2. The prescription is about to be saved.
  let answer = await check('save', '2', lines);
  if (answer && answer.decision === 'ACTION_BLOCK') {
    // The doctor leaves out what is blocked, and goes on with the rest for a reason.
    await feedback(answer, 'DONE_WITHDRAWN', 'DONE_OVERRIDDEN');
    lines = lines.slice(1);
    await check('save', '2', lines);
  }
  // Here your own system saves. Then tell what was saved.
  const saved = { prescription: prescription('2', lines), prescription_id: 'RX1', revision: 1, saved_at: NOW };
  const kept = await tell('RecordSaved', saved);
  console.log(`saved: ${!kept ? 'waits' : kept.stored ? 'stored' : 'spooled'}`);

  // 3. A charge is entered.
  answer = await check('charge', '2', [line('L4', '001102000040000', '门急诊留观诊查费', 2, 3000)]);
  if (answer && answer.findings.length > 0) {
    await feedback(answer, 'DONE_CHANGED', 'DONE_CHANGED');
    await check('charge', '2', [line('L4', '001102000040000', '门急诊留观诊查费', 1, 3000)]);
  }

  // 4. Before settlement: everything that will be paid.
  await check('settle', '7', lines);
  client.close();
}

/** Asks; null where nobody answered in time: then your system saves as if there were no sidecar. */
async function check(moment, scene, lines) {
  let answer = null;
  if (Date.now() >= silentUntil) {
    try {
      answer = await call('Check', prescription(scene, lines));
      failures = 0;
    } catch (error) {
      console.error(`${moment}: ${error.message}`);
      // Three in a row without an answer: nobody waits for the sidecar during the next ten seconds.
      if (error.code !== grpc.status.INVALID_ARGUMENT) failures += 1;
      if (failures >= 3) silentUntil = Date.now() + 10_000;
    }
  }
  console.log(`${moment}: ${answer ? answer.decision.replace('ACTION_', '').toLowerCase() : 'not checked'}`);
  for (const finding of answer ? answer.findings : []) console.log(`  ${finding.lines.join(',')} ${finding.message}`);
  return answer;
}

/** Tells what was done about each finding: one word for blocks, one for the others. */
async function feedback(answer, ofBlocks, ofOthers) {
  const items = answer.findings.map((finding) => {
    const done = finding.action === 'ACTION_BLOCK' ? ofBlocks : ofOthers;
    const reason = { reason_code: 'outside_record', reason_text: '外院脑梗死出院小结，患者已带来' };
    return {
      finding_id: finding.finding_id, done, done_at: NOW, answer_ms: 5400, ...(done === 'DONE_OVERRIDDEN' ? reason : {}),
    };
  });
  const words = { request_id: randomUUID(), institution_id: 'H00000000000', doctor_id: 'D000000000001', items };
  const kept = await tell('RecordFeedback', words);
  const statuses = kept ? kept.items.map((item) => item.status.replace('FEEDBACK_STATUS_', '').toLowerCase()) : ['waits'];
  console.log(`feedback: ${statuses.join(' ')}`);
}

/** Tells something that must arrive: written to the outbox first, sent now or later. Null: it waits. */
async function tell(method, message) {
  // In order, and never the same twice; each process has a folder of its own.
  const file = path.join(outbox, `${Date.now()}-${String(told++).padStart(4, '0')}-${method}.json`);
  fs.writeFileSync(`${file}.part`, JSON.stringify(message));
  fs.renameSync(`${file}.part`, file);
  const last = await deliver();
  return fs.existsSync(file) ? null : last;
}

/** Sends what waits, oldest first; what it told before is known there and does no harm. */
async function deliver() {
  let last = null;
  for (const file of waiting()) {
    const method = /-(\w+)\.json$/.exec(file)[1];
    try {
      last = await call(method, JSON.parse(fs.readFileSync(file, 'utf8')));
      fs.unlinkSync(file);
    } catch (error) {
      console.error(`${file}: ${error.message}`);
      if (error.code !== grpc.status.INVALID_ARGUMENT) break;
      // It cannot be used as it is; sending it again would not help, somebody has to look.
      fs.renameSync(file, `${file}.refused`);
    }
  }
  return last;
}

function waiting() {
  return fs.readdirSync(outbox).filter((name) => name.endsWith('.json')).sort().map((name) => path.join(outbox, name));
}

function call(method, message) {
  return new Promise((done, failed) => {
    const deadline = Date.now() + Number(deadlineMs);
    client[method](message, { deadline }, (error, answer) => (error ? failed(error) : done(answer)));
  });
}

/** What is asked about; every further fact makes more rules decidable (docs/facts.md). */
function prescription(scene, lines) {
  return {
    request_id: randomUUID(), // one question, one id: the same id asks for the answer it had
    institution_id: 'H00000000000',
    time: NOW,
    scene: [scene],
    patient: { id: `P-${VISIT}`, sex: '男', birth_date: '1980-04-12' },
    encounter: {
      id: VISIT, visit_mode: 'outpatient', insurance: ['employee'], institution_level: 3, admitted_at: NOW,
      department_code: '0301', department_name: '内科', doctor_id: 'D000000000001',
      diagnoses: [{ code: 'I10.x00', name: '高血压', main: true }],
      lines,
    },
  };
}

function line(id, code, name, quantity, fen) {
  // A quantity is a decimal text: "0.5" has no exact binary form.
  const money = { unit_price_fen: fen, amount_fen: quantity * fen };
  return { id, code, name, begins: NOW, quantity: String(quantity), ...money };
}

/** Civil time, "yyyy-MM-dd HH:mm:ss" in the zone of this machine. */
function civil(date) {
  const two = (number) => String(number).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
}

main();
