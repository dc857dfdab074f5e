import {randomInt} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import type {ExecutionContext} from 'ava';
import {
	type FluteEndpoint,
	type FluteEvent,
	type FluteObject,
	type FluteReceiver,
	type FluteReceiverOptions,
	openFluteReceiver,
} from '#native/flute/receiver.ts';
import {eventually} from './eventually.ts';
import {freeUdpPort} from './free-udp-port.ts';
import {withDirectory} from './with-directory.ts';

export type EventOf<Kind extends FluteEvent['kind']> = Extract<FluteEvent, {readonly kind: Kind}>;

export type FluteReception = {
	readonly receiver: FluteReceiver;
	readonly endpoint: FluteEndpoint & {readonly interfaceAddress: string};
	readonly directory: string;
	readonly all: <Kind extends FluteEvent['kind']>(kind: Kind) => readonly EventOf<Kind>[];
	readonly objectAt: (contentLocation: string) => FluteObject | undefined;
	/** Waits for the object's completion and answers its bytes. */
	readonly bytesOf: (contentLocation: string) => Promise<Buffer>;
	readonly until: <Answer>(what: string, ask: () => Answer | undefined | false, timeoutMs?: number) => Promise<Answer>;
};

/** A receiver on a loopback group that nobody else uses. */
export const withFluteReceiver = async (
	t: ExecutionContext,
	options: Partial<FluteReceiverOptions> & {readonly tsis?: readonly number[]} = {},
): Promise<FluteReception> => {
	const directory = options.directory ?? (await withDirectory(t));
	const endpoint = {
		group: `239.255.${randomInt(1, 255)}.${randomInt(1, 255)}`,
		port: await freeUdpPort(),
		interfaceAddress: '127.0.0.1',
		...(options.tsis === undefined ? {} : {tsis: options.tsis}),
	};
	const events: FluteEvent[] = [];
	const receiver = openFluteReceiver({
		endpoints: [endpoint],
		onEvents: (batch) => {
			events.push(...batch);
		},
		...options,
		directory,
	});
	t.teardown(() => receiver.close());
	const all = <Kind extends FluteEvent['kind']>(kind: Kind) =>
		events.filter((event): event is EventOf<Kind> => event.kind === kind);
	const until = <Answer>(what: string, ask: () => Answer | undefined | false, timeoutMs = 60_000) =>
		eventually(what, ask, {timeoutMs}).catch((error: unknown) => {
			t.log(receiver.stats(), events.slice(-5));
			throw error;
		});
	const objectAt = (contentLocation: string) =>
		all('appeared').findLast(({object}) => object.contentLocation === contentLocation)?.object;
	const bytesOf = async (contentLocation: string) => {
		const {path} = await until(`${contentLocation} complete`, () => {
			const object = objectAt(contentLocation);
			return all('complete').find(({id}) => id === object?.id);
		});
		return readFile(path);
	};
	return {receiver, endpoint, directory, all, objectAt, bytesOf, until};
};
