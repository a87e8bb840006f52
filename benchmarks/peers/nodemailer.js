// nodemailer's pool: one message many times, ready ("raw") or built from its parts ("built"). See ../sending.py.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const nodemailer = require("nodemailer");

const [way, port, connections, count, folder] = process.argv.slice(2);
const content = fs.readFileSync(path.join(folder, way === "raw" ? "message.eml" : "message.json"));
const envelope = { from: "digest@example.org", to: ["reader@example.org"] };
const message =
  way === "raw"
    ? { envelope, raw: content }
    : { from: "Digest <digest@example.org>", to: "reader@example.org", ...JSON.parse(content) };

const transport = nodemailer.createTransport({
  pool: true,
  host: "127.0.0.1",
  port: Number(port),
  name: "me",
  ignoreTLS: true,
  maxConnections: Number(connections),
  maxMessages: Infinity,
});

async function send(messages) {
  let left = messages;
  const work = async () => {
    while (left-- > 0) await transport.sendMail(message);
  };
  await Promise.all(Array.from({ length: 2 * connections }, work)); // each connection has the next one waiting
}

async function main() {
  await send(2 * connections); // the pool connects when there is something to send
  const start = process.hrtime.bigint();
  const before = process.cpuUsage();
  await send(Number(count));
  const used = process.cpuUsage(before);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const megabytes = process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify({ seconds, cpu: (used.user + used.system) / 1e6, megabytes }));
  transport.close();
}

main();
