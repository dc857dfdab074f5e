import {readFileSync} from 'node:fs';
import type {BoxIdentity, Credentials} from '#appliance/identity/box-identity.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {startFleetLink} from '#appliance/mqtt/start-fleet-link.ts';
import {sleep} from '#appliance/time/sleep.ts';

export type LinkProcessOptions = {
	readonly directory: string;
	readonly identity: Pick<BoxIdentity, 'deviceId' | 'claim'>;
	readonly credentials: Credentials;
	/** The number of the first event that it tells. */
	readonly first: number;
	readonly intervalMs: number;
};

/** A box in a process of its own, which is killed in the middle of its work. Prints each event's number once it is told. */
const [optionsPath = ''] = process.argv.slice(2);
const options = JSON.parse(readFileSync(optionsPath, 'utf8')) as LinkProcessOptions;
const link = await startFleetLink({
	directory: options.directory,
	identity: {
		...options.identity,
		credentials: () => options.credentials,
		onCredentials: (listener) => {
			listener(options.credentials);
			return () => undefined;
		},
		[Symbol.asyncDispose]: () => Promise.resolve(),
	},
	kind: 'stb',
	bootId: String(process.pid),
	facts: () => ({id: options.identity.deviceId, kind: 'stb'}),
	logger: silentLogger(),
	backoff: {reconnect: {initialMs: 50, maxMs: 200}, acknowledge: {initialMs: 400, maxMs: 1000}},
});
link.handleCommands(async ({name}, {signal}) => {
	process.stdout.write(`command ${name}\n`);
	await sleep(60_000, {signal});
	return {kind: 'done'};
});
for (let number = options.first; ; number += 1) {
	link.tellEvent({kind: 'note', data: {number}});
	process.stdout.write(`${number}\n`);
	await sleep(options.intervalMs);
}
