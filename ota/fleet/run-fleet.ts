import {mkdir} from 'node:fs/promises';
import path from 'node:path';
import type {Writable} from 'node:stream';
import {createLogger} from '#appliance/log/logger.ts';
import {openParentChannel} from '#appliance/process/parent-channel.ts';
import {runProcess} from '#appliance/process/run-process.ts';
import {systemClock} from '#appliance/time/clock.ts';
import {loadFleetConfig} from '#ota/fleet/config/load-fleet-config.ts';
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
	await mkdir(stateDirectory, {recursive: true, mode: 0o700});
	const logger = createLogger({name: 'fleet', level: config.log.level});
	return runProcess({
		logger,
		stopTimeoutMs,
		start: async ({signal, stop}) => {
			const parent = openParentChannel({signal, onLost: () => stop('loss of the parent process')});
			const fleet = await startFleet({config, stateDirectory, clock: systemClock, logger, signal});
			options.output.write(`${greeting(fleet).join('\n')}\n`);
			parent.tell({
				kind: 'ready',
				endpoints: {console: fleet.url, device: fleet.deviceUrl, broker: fleet.brokerUrl},
			});
			return fleet;
		},
	});
};

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
