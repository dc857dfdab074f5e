import path from 'node:path';
import type {Writable} from 'node:stream';
import {errorCode} from '#appliance/error/coded-error.ts';
import {createLogger} from '#appliance/log/logger.ts';
import {openParentChannel} from '#appliance/process/parent-channel.ts';
import {runProcess} from '#appliance/process/run-process.ts';
import {systemClock} from '#appliance/time/clock.ts';
import type {FleetConfig} from '#ota/fleet/config/fleet-config-schema.ts';
import {loadFleetConfig} from '#ota/fleet/config/load-fleet-config.ts';
import {holdStateDirectory} from '#ota/fleet/hold-state-directory.ts';
import {keepHeapSmall} from '#ota/fleet/keep-heap-small.ts';
import {type Fleet, startFleet} from '#ota/fleet/start-fleet.ts';

const stopTimeoutMs = 20_000;

/** The whole fleet server's process. What a person needs is on standard output, the log on standard error. */
export const runFleet = async (options: {
	readonly stateDirectory: string;
	readonly configPath: string | undefined;
	readonly flags: {readonly port?: number | undefined; readonly host?: string | undefined};
	readonly output: Writable;
}): Promise<never> => {
	const stateDirectory = path.resolve(options.stateDirectory);
	const config = await loadFleetConfig({
		filePath: options.configPath,
		flags: options.flags,
		environment: process.env,
	});
	using _held = await holdStateDirectory(stateDirectory);
	const logger = createLogger({name: 'fleet', level: config.log.level});
	return runProcess({
		logger,
		stopTimeoutMs,
		start: async ({signal, stop}) => {
			const parent = openParentChannel({signal, onStop: stop});
			const fleet = await startFleet({config, stateDirectory, clock: systemClock, logger, signal}).catch(
				(error: unknown) => {
					if (!signal.aborted) {
						tellAtExit(error);
					}
					throw error;
				},
			);
			await keepHeapSmall();
			options.output.write(`${[...greeting(fleet), ...warnings(config)].join('\n')}\n`);
			parent.tell({
				kind: 'ready',
				endpoints: {console: fleet.url, device: fleet.deviceUrl, broker: fleet.brokerUrl},
			});
			return fleet;
		},
	});
};

/** After the log, whose lines are for machines: what a person who started it reads last. */
const tellAtExit = (error: unknown): void => {
	const code = errorCode(error);
	const message = reasonsOf(error)
		.map((reason) => reason.replace(/\.$/u, ''))
		.join(': ');
	process.once('exit', () => {
		process.stderr.write(`streamverse: ${message}${code === undefined ? '' : ` (${code})`}\n`);
	});
};

/** What happened, and why: the causes are the half that a person can do something about. */
const reasonsOf = (error: unknown): readonly string[] =>
	error instanceof Error
		? [error.message || (errorCode(error) ?? error.name), ...(error.cause === undefined ? [] : reasonsOf(error.cause))]
		: [String(error)];

const loopbacks: readonly string[] = ['127.0.0.1', '::1', 'localhost'];

const warnings = ({operator}: FleetConfig): readonly string[] =>
	operator.tls === undefined && operator.publicUrl === undefined && !loopbacks.includes(operator.host)
		? [
				`Careful: ${operator.host} is reached by others, and passwords travel unencrypted. Set operator.tls in --config.`,
			]
		: [];

const greeting = ({url, firstAdmin}: Fleet): readonly string[] => [
	`The console: ${url}`,
	...(firstAdmin === undefined
		? []
		: [
				`Sign in as ${firstAdmin.name} with the one-time password ${firstAdmin.password}`,
				'It is shown this once, and must be changed at the first sign-in.',
			]),
	'Make a claim for a box on the page Claims, or by POST /api/v1/claims; the box takes the claim file (fleet.claimFile).',
];
