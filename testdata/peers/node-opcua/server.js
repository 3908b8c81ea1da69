// An OPC UA server for tests, told over stdin what to do.
//
//   node server.js '{"dir":"/tmp/pki","vars":[{"name":"TC1","type":"Double","value":20}]}'
//
// The argument:
//   dir       folder for the server's certificates; made when absent (required)
//   port      TCP port on 127.0.0.1; 0 (default) takes a free one and keeps it
//   vars      variables: name, type (Double, Int32, String, Boolean, ...), value,
//             and source (ISO time) of the first value; node id nsu=urn:andon:peer;s=NAME
//   users     {name: password}; without it sessions are anonymous only
//   limits    operation limits, as {"maxMonitoredItemsPerCall":100}
//   lifetime  the longest life of a security token, in milliseconds
//
// It prints {"ready":true,"endpoint":...,"certificate":FILE} and then answers
// each line {"id":1,"cmd":...} with {"id":1,"ok":true,...} or {"id":1,"error":...}:
//   set       var, value, status (Good), time (ISO, default now)
//   play      samples: list of what set takes, in one turn of the event loop
//   run       samples, every: one of them each so many milliseconds; answers at the end
//   stats     sessions, subscriptions, unacknowledged notifications
//   kill      ends all sessions; delete: their subscriptions too
//   delete    deletes all subscriptions, the sessions stay
//   stop      shuts down; start: comes back on the same port, with the same values
//   remove    takes the variable var away; add: brings it back
//   freeze    does nothing at all for ms milliseconds
// It ends when stdin does.
"use strict";

const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const readline = require("node:readline");
const {
  AttributeIds, DataType, DataValue, MessageSecurityMode, OPCUACertificateManager, OPCUAServer,
  SecurityPolicy, StatusCodes, UserTokenType, Variant, nodesets,
} = require("node-opcua");

const options = JSON.parse(process.argv[2] || "{}");
const namespaceURI = "urn:andon:peer";
const last = new Map(); // name -> last DataValue, kept over stop and start
const nodes = new Map(); // name -> variable
let server, namespace;

const say = (o) => process.stdout.write(JSON.stringify(o) + "\n");

// freePort finds a port that nobody has, so that a restart can use it again.
function freePort() {
  return new Promise((resolve, reject) => {
    const s = net.createServer();
    s.once("error", reject);
    s.listen(0, "127.0.0.1", () => {
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });
}

function dataValue(v, s) {
  return new DataValue({
    value: new Variant({ dataType: DataType[v.type], value: s.value }),
    statusCode: StatusCodes[s.status || "Good"],
    sourceTimestamp: s.time ? new Date(s.time) : new Date(),
    serverTimestamp: new Date(),
  });
}

function describe(name) {
  const v = (options.vars || []).find((v) => v.name === name);
  if (!v) throw new Error(`no variable ${name}`);
  return v;
}

function add(v) {
  const node = namespace.addVariable({
    organizedBy: server.engine.addressSpace.rootFolder.objects,
    browseName: v.name,
    nodeId: `s=${v.name}`,
    dataType: v.type,
    minimumSamplingInterval: 0, // every change is a value, not only the last before a sampling
  });
  nodes.set(v.name, node);
  node.setValueFromSource(...forSource(last.get(v.name) || dataValue(v, { value: v.value, time: v.source })));
}

const forSource = (d) => [d.value, d.statusCode, d.sourceTimestamp];

function set(s) {
  const d = dataValue(describe(s.var), s);
  last.set(s.var, d);
  const node = nodes.get(s.var);
  if (node) node.setValueFromSource(...forSource(d));
}

async function start() {
  const manager = new OPCUACertificateManager({
    rootFolder: path.join(options.dir, "pki"),
    automaticallyAcceptUnknownCertificate: true,
  });
  const users = options.users;
  server = new OPCUAServer({
    port: options.port,
    host: "127.0.0.1",
    hostname: "127.0.0.1",
    nodeset_filename: [nodesets.standard],
    serverCertificateManager: manager,
    securityPolicies: [SecurityPolicy.None, SecurityPolicy.Basic256Sha256,
      SecurityPolicy.Aes128_Sha256_RsaOaep, SecurityPolicy.Aes256_Sha256_RsaPss],
    securityModes: [MessageSecurityMode.None, MessageSecurityMode.Sign, MessageSecurityMode.SignAndEncrypt],
    allowAnonymous: !users,
    userManager: users && { isValidUser: (name, password) => users[name] === password },
    defaultSecureTokenLifetime: options.lifetime,
    serverCapabilities: { operationLimits: options.limits || {}, maxSessions: 100 },
  });
  await server.initialize();
  namespace = server.engine.addressSpace.registerNamespace(namespaceURI);
  for (const v of options.vars || []) add(v);
  await server.start();
}

const sessions = () => Object.values(server.engine._sessions);

function subscriptions() {
  return sessions().flatMap((s) => s.publishEngine ? s.publishEngine.subscriptions : []);
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const commands = {
  set(c) { set(c); },
  play(c) { c.samples.forEach(set); },
  async run(c) {
    for (const s of c.samples) {
      set(s);
      await sleep(c.every);
    }
  },
  stats() {
    return {
      sessions: sessions().length,
      subscriptions: subscriptions().length,
      items: subscriptions().reduce((n, s) => n + s.monitoredItemCount, 0),
      unacknowledged: subscriptions().reduce((n, s) => n + s.getAvailableSequenceNumbers().length, 0),
    };
  },
  kill(c) {
    for (const s of sessions()) server.engine.closeSession(s.authenticationToken, !!c.delete, "Terminated");
  },
  delete() {
    for (const s of sessions()) {
      for (const sub of s.publishEngine.subscriptions) s.deleteSubscription(sub.id);
    }
  },
  async stop() {
    await server.shutdown(0);
    nodes.clear();
  },
  start,
  remove(c) {
    server.engine.addressSpace.deleteNode(nodes.get(c.var));
    nodes.delete(c.var);
  },
  add(c) { add(describe(c.var)); },
  freeze(c) { for (const end = Date.now() + c.ms; Date.now() < end;) ; },
};

async function main() {
  if (!options.dir) throw new Error("dir is not set");
  options.port = options.port || await freePort();
  await start();
  const certificate = path.join(options.dir, "server.der");
  fs.writeFileSync(certificate, server.getCertificate());
  say({ ready: true, endpoint: `opc.tcp://127.0.0.1:${options.port}`, certificate });
  // One command after the other, in the order they came; but a run goes on
  // beside what follows it.
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const c = JSON.parse(line);
    const act = (async () => {
      try {
        say({ id: c.id, ok: true, ...(await commands[c.cmd](c)) });
      } catch (e) {
        say({ id: c.id, error: String(e && e.stack || e) });
      }
    })();
    if (c.cmd !== "run") await act;
  }
  process.exit(0);
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
