// `guichet lsp` as an editor's own client sees it: the library on which VS Code speaks the protocol.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import protocol from 'vscode-languageserver-protocol/node';
import { program, repository } from './support.mjs';

const {
  CodeActionRequest, CompletionRequest, createProtocolConnection, DefinitionRequest, DidChangeTextDocumentNotification,
  DidOpenTextDocumentNotification, DocumentSymbolRequest, ExitNotification, HoverRequest, InitializedNotification,
  InitializeRequest, PublishDiagnosticsNotification, ReferencesRequest, RegistrationRequest, ShutdownRequest,
  StreamMessageReader, StreamMessageWriter,
} = protocol;

const path = join(repository, 'processes/chalons/voirie/chaussee-abimee.yaml');
const uri = pathToFileURL(path).href;
const sound = readFileSync(path, 'utf8');

/** Where a text stands, as an editor counts. */
function position(text, needle, offset = 0) {
  const before = text.slice(0, text.indexOf(needle) + offset).split('\n');
  return { line: before.length - 1, character: before.at(-1).length };
}

/** The text with an edit made. */
function edited(text, { range, newText }) {
  const lines = text.split('\n');
  const at = ({ line, character }) => lines.slice(0, line).reduce((sum, l) => sum + l.length + 1, character);
  return text.slice(0, at(range.start)) + newText + text.slice(at(range.end));
}

test('a client that nobody here wrote understands the language server', { timeout: 120_000 }, async () => {
  const server = spawn(program, ['lsp', '--stdio', '--lang', 'fr'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(server, 'exit');
  const connection = createProtocolConnection(
    new StreamMessageReader(server.stdout),
    new StreamMessageWriter(server.stdin),
  );
  const told = [];
  let wake = () => {};
  connection.onNotification(PublishDiagnosticsNotification.type, (params) => { told.push(params); wake(); });
  const registered = [];
  connection.onRequest(RegistrationRequest.type, ({ registrations }) => { registered.push(...registrations); });
  const faults = [];
  connection.onError(([error]) => faults.push(error));
  connection.listen();
  const findings = async (version) => {
    for (;;) {
      const found = told.find((params) => params.uri === uri && params.version === version);
      if (found) return found.diagnostics;
      await new Promise((resolve) => { wake = resolve; });
    }
  };

  const { capabilities, serverInfo } = await connection.sendRequest(InitializeRequest.type, {
    processId: process.pid,
    rootUri: pathToFileURL(repository).href,
    capabilities: {
      textDocument: {
        completion: { completionItem: { snippetSupport: true, documentationFormat: ['markdown'] } },
        documentSymbol: { hierarchicalDocumentSymbolSupport: true },
        hover: { contentFormat: ['markdown'] },
        publishDiagnostics: { relatedInformation: true, tagSupport: { valueSet: [1, 2] }, dataSupport: true },
      },
      workspace: { didChangeWatchedFiles: { dynamicRegistration: true } },
    },
  });
  assert.equal(serverInfo.name, 'guichet');
  assert.equal(capabilities.positionEncoding, 'utf-16');
  await connection.sendNotification(InitializedNotification.type, {});

  const wrong = sound.replace('role:patrouilleur', 'role:patrouileur');
  const textDocument = { uri };
  await connection.sendNotification(DidOpenTextDocumentNotification.type, {
    textDocument: { uri, languageId: 'yaml', version: 1, text: wrong },
  });
  const [finding] = await findings(1);
  assert.equal(finding.code, 'role.unknown');
  assert.deepEqual(finding.range.start, position(wrong, 'patrouileur'));
  assert.equal(registered[0].method, 'workspace/didChangeWatchedFiles');

  const [remedy] = await connection.sendRequest(CodeActionRequest.type, {
    textDocument, range: finding.range, context: { diagnostics: [finding] },
  });
  const text = edited(wrong, remedy.edit.changes[uri][0]);
  assert.equal(text, sound);
  await connection.sendNotification(DidChangeTextDocumentNotification.type, {
    textDocument: { uri, version: 2 }, contentChanges: [{ text }],
  });
  assert.deepEqual(await findings(2), []);

  const at = (request, needle, offset, more = {}) =>
    connection.sendRequest(request, { textDocument, position: position(text, needle, offset), ...more });
  const hover = await at(HoverRequest.type, 'role:patrouilleur', 8);
  assert.match(hover.contents.value, /Tenu par/);
  const [place] = await at(DefinitionRequest.type, '\n  answer:', 4);
  assert.match(place.uri, /models\/commun\.yaml$/);
  const uses = await at(ReferencesRequest.type, 'task: visite', 7, { context: { includeDeclaration: true } });
  assert.ok(uses.length >= 4, `${uses.length}`);
  const symbols = await connection.sendRequest(DocumentSymbolRequest.type, { textDocument });
  const treatment = symbols.find((symbol) => symbol.name === 'treatment');
  assert.deepEqual(treatment.children.map((task) => task.name), ['visite', 'intervention']);

  // A word is completed as the editor would write it: no finding comes of it.
  const started = text.replace('service:astreinte', 'service:as');
  await connection.sendNotification(DidChangeTextDocumentNotification.type, {
    textDocument: { uri, version: 3 }, contentChanges: [{ text: started }],
  });
  const list = await connection.sendRequest(CompletionRequest.type, {
    textDocument, position: position(started, 'service:as }', 10),
  });
  const chosen = list.items.find((item) => item.label === 'service:astreinte');
  assert.equal(edited(started, chosen.textEdit), text);

  await connection.sendRequest(ShutdownRequest.type);
  await connection.sendNotification(ExitNotification.type);
  assert.deepEqual(await exited, [0, null]);
  assert.deepEqual(faults, []);
  connection.dispose();
});
