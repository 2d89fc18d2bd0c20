/** What a container of the image runs: the command names the service. The process stays the same one, so signals reach it. */
const COMMANDS = {
  gateway: '../../services/ingest-gateway/src/main.ts',
  orchestrator: '../../services/sync-orchestrator/src/main.ts',
  fetcher: '../../services/provider-fetcher/src/main.ts',
  projector: '../../services/mailbox-projector/src/main.ts',
  all: '../../services/all-in-one/src/main.ts',
  migrate: '../../services/all-in-one/src/migrate.ts',
  mailstream: '../../libs/devstack/src/cli/main.ts',
  demo: '../../libs/devstack/src/demo-server.ts',
};

const [name] = process.argv.splice(2, 1);
const file = COMMANDS[name];
if (file === undefined) {
  process.stderr.write(
    `mailstream: the command is one of ${Object.keys(COMMANDS).join(', ')}, not ${name}\n`,
  );
  process.exit(2);
}
// More variables than a compose file or a manifest can know: what is set already stays.
const { MAILSTREAM_ENV_FILE: more } = process.env;
if (more) process.loadEnvFile(more);
await import(file);
