// node judge.mjs FOLDER: judges each *.html in it, and writes FOLDER/verdicts.json: file → judge → finding → where.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { caniemail } from "caniemail";
import { HtmlValidate, StaticConfigLoader } from "html-validate";

// All that caniemail's data can judge: with others (Thunderbird, GMX, …) its release 2.0.2 stops at a gap in them.
const CLIENTS = ["gmail", "outlook", "apple-mail", "yahoo", "aol", "fastmail", "protonmail", "samsung-email", "hey"];
const validator = new HtmlValidate(new StaticConfigLoader({ extends: ["html-validate:recommended"] }));

function unsupported(html) {
  const { issues } = caniemail({ clients: CLIENTS.map((name) => `${name}.*`), html });
  const found = {};
  for (const byClient of [issues.errors, issues.warnings])
    for (const [client, list] of byClient.entries()) for (const { title } of list) (found[title] ??= []).push(client);
  return found;
}

async function invalid(html) {
  const { results } = await validator.validateString(html);
  const found = {};
  for (const { messages } of results)
    for (const { ruleId, message, line } of messages) (found[ruleId] ??= []).push(`line ${line}: ${message}`);
  return found;
}

const folder = process.argv[2];
const verdicts = {};
for (const name of readdirSync(folder).filter((name) => name.endsWith(".html"))) {
  const html = readFileSync(join(folder, name), "utf8");
  verdicts[name.replace(".html", "")] = { caniemail: unsupported(html), "html-validate": await invalid(html) };
}
writeFileSync(join(folder, "verdicts.json"), JSON.stringify(verdicts));
