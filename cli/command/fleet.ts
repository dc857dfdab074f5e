import {type Command, InvalidArgumentError} from 'commander';

type FleetFlags = {
	readonly state: string;
	readonly config?: string;
	readonly port?: number;
	readonly host?: string;
};

const parsePort = (text: string): number => {
	const port = Number(text);
	if (!Number.isInteger(port) || text.trim() === '' || port < 0 || port > 65_535) {
		throw new InvalidArgumentError('A port is a whole number from 0 (any free one) to 65535.');
	}
	return port;
};

export const registerFleetCommand = (program: Command): void => {
	program
		.command('fleet')
		.summary('run a fleet server: enrol, see, update and diagnose boxes')
		.description(
			'run a fleet server with its console and its MQTT broker; nothing else is needed to try a fleet.\nDATABASE_URL=postgres://… instead of the SQLite file lets several servers share the work',
		)
		.option('--state <dir>', 'what it keeps: database, keys, certificates, releases', 'fleet-state')
		.option('--config <file>', 'a YAML file, for addresses, TLS, PostgreSQL, S3, e-mail, OIDC and Kafka')
		.option('--port <number>', 'of the console and the API', parsePort)
		.option('--host <address>', 'that the console and the API listen on')
		.addHelpText(
			'after',
			'\nExamples:\n  $ ./streamverse fleet\n  $ DATABASE_URL=postgres://fleet@db/fleet ./streamverse fleet --config fleet.yaml',
		)
		.action(async (flags: FleetFlags) => {
			const {runFleet} = await import('#ota/fleet/run-fleet.ts');
			await runFleet({
				stateDirectory: flags.state,
				configPath: flags.config,
				flags: {port: flags.port, host: flags.host},
				output: process.stdout,
			});
		});
};
