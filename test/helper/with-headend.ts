import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {OpenSender} from '#headend/carousel/uplink.ts';
import {type HeadendConfig, headendConfigSchema} from '#headend/config-schema.ts';
import {startHeadend} from '#headend/start.ts';
import {freeUdpPort} from '#test/helper/free-udp-port.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

type Section = Readonly<Record<string, unknown>>;

export type TestHeadend = {
	readonly url: string;
	readonly config: HeadendConfig;
	readonly stateDirectory: string;
	readonly stop: () => Promise<void>;
	/** What a changed configuration is told by; false when it takes a new start. */
	readonly reconfigure: (sections: Readonly<Record<string, Section>>) => Promise<boolean>;
};

/** A headend in this process, on loopback, with ports and a group of its own. Sections are merged into its defaults. */
export const withHeadend = async (
	t: ExecutionContext,
	options: {
		readonly sections?: Readonly<Record<string, Section>>;
		/** To start again on what another left. */
		readonly stateDirectory?: string;
		readonly openSender?: OpenSender;
		readonly clock?: Clock;
	} = {},
): Promise<TestHeadend> => {
	const {sections = {}} = options;
	const stateDirectory = options.stateDirectory ?? join(await withDirectory(t), 'state');
	const byte = () => 1 + Math.floor(Math.random() * 250);
	const given: Readonly<Record<string, Section>> = {
		...sections,
		listen: {port: 0},
		uplink: {
			interfaceAddress: '127.0.0.1',
			group: `239.255.${byte()}.${byte()}`,
			port: await freeUdpPort(),
			announcement: {group: `239.254.${byte()}.${byte()}`, port: await freeUdpPort()},
			rateBps: 40_000_000,
			...sections['uplink'],
		},
	};
	const config = headendConfigSchema.parse(given);
	const stopping = new AbortController();
	const role = await startHeadend(
		{
			box: {id: deviceIdSchema.parse('headend-test'), kind: 'headend', stateDirectory},
			config,
			logger: silentLogger(),
			signal: stopping.signal,
		},
		{
			...(options.openSender === undefined ? {} : {openSender: options.openSender}),
			...(options.clock === undefined ? {} : {clock: options.clock}),
		},
	);
	let stopped: Promise<void> | undefined;
	const stop = (): Promise<void> => {
		stopping.abort();
		stopped ??= Promise.resolve(role[Symbol.asyncDispose]());
		return stopped;
	};
	t.teardown(stop);
	const reconfigure = async (changed: Readonly<Record<string, Section>>): Promise<boolean> => {
		const merged = Object.entries(changed).map(([name, section]) => [name, {...given[name], ...section}]);
		return (await role.reconfigure?.(headendConfigSchema.parse({...given, ...Object.fromEntries(merged)}))) ?? false;
	};
	return {url: role.endpoints['http'] ?? '', config, stateDirectory, stop, reconfigure};
};
