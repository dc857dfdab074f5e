import {z} from 'zod';
import {sleep} from '#appliance/time/sleep.ts';
import {type LiveChange, liveChangeSchema} from '#ota/contract/box-api.ts';
import type {Changes} from '#ota/fleet/fleet-part.ts';
import type {FleetBroker} from '#ota/fleet/server/fleet-broker.ts';

/** Between the servers of a fleet; no box may read or write it. */
export const changeTopic = 'sv/fleet/change';
/** At most one message per kind in so long; a page that is told asks again for what it shows. */
export const changeIntervalMs = 500;
const idsMax = 200;

const envelopeSchema = z.strictObject({serverId: z.string().max(128), changes: z.array(liveChangeSchema).max(16)});

export type OwnedChanges = Changes & AsyncDisposable & {readonly connect: (broker: FleetBroker) => Promise<void>};

/** What changed, gathered for a moment, told to this server's pages and, by the broker, to those of the others. */
export const createChanges = (options: {readonly serverId: string; readonly signal: AbortSignal}): OwnedChanges => {
	const {serverId, signal} = options;
	const listeners = new Set<(change: LiveChange) => void>();
	const gathered = new Map<LiveChange['kind'], Set<string> | 'many'>();
	const stack = new AsyncDisposableStack();
	let broker: FleetBroker | undefined;
	let isWaiting = false;

	const tell = (changes: readonly LiveChange[]): void => {
		for (const change of changes) {
			for (const listener of listeners) {
				listener(change);
			}
		}
	};
	const flush = async (): Promise<void> => {
		await sleep(changeIntervalMs, {signal}).catch(() => undefined);
		isWaiting = false;
		const changes = [...gathered].map(([kind, ids]): LiveChange => (ids === 'many' ? {kind} : {kind, ids: [...ids]}));
		gathered.clear();
		tell(changes);
		await broker?.publish(changeTopic, JSON.stringify({serverId, changes}), {qos: 0}).catch(() => undefined);
	};
	return {
		publish: ({kind, ids}) => {
			gathered.set(kind, gather(gathered.get(kind), ids));
			if (!isWaiting) {
				isWaiting = true;
				void flush();
			}
		},
		subscribe: (listener) => {
			listeners.add(listener);
			return () => void listeners.delete(listener);
		},
		connect: async (connected) => {
			broker = connected;
			stack.use(
				await connected.subscribe(changeTopic, ({payload}) => {
					const envelope = parseEnvelope(payload);
					if (envelope !== undefined && envelope.serverId !== serverId) {
						tell(envelope.changes);
					}
					return undefined;
				}),
			);
		},
		[Symbol.asyncDispose]: () => stack.disposeAsync(),
	};
};

const gather = (before: Set<string> | 'many' | undefined, ids: readonly string[] | undefined): Set<string> | 'many' => {
	if (before === 'many' || ids === undefined) {
		return 'many';
	}
	const all = new Set([...(before ?? []), ...ids]);
	return all.size > idsMax ? 'many' : all;
};

const parseEnvelope = (payload: Buffer): z.infer<typeof envelopeSchema> | undefined => {
	try {
		return envelopeSchema.parse(JSON.parse(payload.toString('utf8')));
	} catch {
		return undefined;
	}
};
