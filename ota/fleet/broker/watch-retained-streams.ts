import {randomUUID} from 'node:crypto';
import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {Broker} from '#ota/fleet/broker/start-broker.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

const turnIntervalMs = 30_000;
/** Of a box that goes on it is told once in so long. */
export const toldEveryMs = 3_600_000;
/** Boxes of which it is remembered that it was told; beyond it the oldest is told once more. */
const rememberedMax = 10_000;

type Context = {
	readonly clearRetainedStreams: Broker['clearRetainedStreams'];
	readonly database: FleetDatabase;
	readonly clock: Clock;
	readonly logger: Logger;
};

/** Clears what boxes left on their streams, and writes an event of each that did. */
export const createRetainedStreamWatch = (context: Context): {readonly turn: () => Promise<void>} => {
	const {clearRetainedStreams, clock, logger} = context;
	const toldMs = new Map<string, number>();
	return {
		turn: async () => {
			const cleared = await clearRetainedStreams();
			const nowMs = clock.nowMs();
			for (const [box, messages] of cleared) {
				if (nowMs - (toldMs.get(box) ?? Number.NEGATIVE_INFINITY) >= toldEveryMs) {
					toldMs.delete(box);
					toldMs.set(box, nowMs);
					logger.warn({box, messages}, 'a box left retained messages on its streams, as ours never do; cleared');
					await writeEvent(context, {box, messages, nowMs});
				}
			}
			for (const box of [...toldMs.keys()].slice(0, Math.max(0, toldMs.size - rememberedMax))) {
				toldMs.delete(box);
			}
		},
	};
};

/** Under a lease, for as long as it is held. */
export const watchRetainedStreams = async (
	context: Context,
	{signal}: {readonly signal: AbortSignal},
): Promise<void> => {
	const watch = createRetainedStreamWatch(context);
	while (!signal.aborted) {
		await watch.turn().catch((error: unknown) => {
			if (!signal.aborted) {
				context.logger.warn({err: error}, 'what boxes left on their streams was not looked for; tried again soon');
			}
		});
		await sleep(turnIntervalMs, {signal}).catch(() => undefined);
	}
};

/** Its epoch is one that the box cannot know: it could have taken the place before. */
const writeEvent = async (
	{database}: Context,
	{box, messages, nowMs}: {readonly box: string; readonly messages: number; readonly nowMs: number},
): Promise<void> => {
	await database
		.insertInto('box_event')
		.values({
			...{box, epoch: randomUUID(), sequence: 1, at_ms: nowMs, received_ms: nowMs, severity: 'critical', kind: 'note'},
			data: JSON.stringify({
				by: 'fleet',
				text: 'The box left retained messages on its streams, as no box of ours does. They were cleared.',
				messages,
			}),
		})
		.execute();
};
