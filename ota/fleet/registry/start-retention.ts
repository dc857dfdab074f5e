import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {FleetConfig} from '#ota/fleet/config/fleet-config-schema.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

const dayMs = 86_400_000;
const turnIntervalMs = 3_600_000;
const boxesPerPortion = 100;
/** Between portions, so that retention never keeps a batch of boxes' messages waiting. */
const pauseMs = 20;

type Context = {
	readonly database: FleetDatabase;
	readonly retention: FleetConfig['retention'];
	readonly clock: Clock;
	readonly logger: Logger;
};

/** Once an hour, under a lease: thins and deletes what is old, some boxes at a time. */
export const retainRecords = async (context: Context, {signal}: {readonly signal: AbortSignal}): Promise<void> => {
	while (!signal.aborted) {
		const startedMs = context.clock.monotonicMs();
		await retainOnce(context, {signal});
		context.logger.debug({tookMs: context.clock.monotonicMs() - startedMs}, 'old records thinned and deleted');
		await sleep(turnIntervalMs, {signal});
	}
};

export const retainOnce = async (context: Context, {signal}: {readonly signal: AbortSignal}): Promise<void> => {
	const {database, retention, clock} = context;
	const nowMs = clock.nowMs();
	await database
		.deleteFrom('command')
		.where('created_ms', '<', nowMs - retention.commandDays * dayMs)
		.execute();
	let last = '';
	while (!signal.aborted) {
		const boxes = await database
			.selectFrom('box')
			.select('id')
			.where('id', '>', last)
			.orderBy('id')
			.limit(boxesPerPortion)
			.execute();
		for (const {id} of boxes) {
			await retainBox(context, id, nowMs);
		}
		const end = boxes.at(-1);
		if (end === undefined) {
			break;
		}
		last = end.id;
		await sleep(pauseMs, {signal});
	}
};

/** Of each interval the first sample stays; a chart of weeks shows no more. */
const retainBox = async ({database, retention}: Context, box: string, nowMs: number): Promise<void> => {
	await database
		.deleteFrom('telemetry')
		.where('box', '=', box)
		.where('at_ms', '<', nowMs - retention.telemetryDays * dayMs)
		.execute();
	await database
		.deleteFrom('box_event')
		.where('box', '=', box)
		.where('at_ms', '<', nowMs - retention.eventDays * dayMs)
		.execute();
	const rows = await database
		.selectFrom('telemetry')
		.select('at_ms')
		.where('box', '=', box)
		.where('at_ms', '<', nowMs - retention.thinAfterDays * dayMs)
		.where('at_ms', '>=', nowMs - (retention.thinAfterDays + 1) * dayMs - turnIntervalMs)
		.orderBy('at_ms')
		.execute();
	const kept = new Set<number>();
	const surplus = rows
		.map((row) => row.at_ms)
		.filter((atMs) => {
			const interval = Math.floor(atMs / retention.thinToMs);
			const isFirst = !kept.has(interval);
			kept.add(interval);
			return !isFirst;
		});
	for (let from = 0; from < surplus.length; from += 1000) {
		await database
			.deleteFrom('telemetry')
			.where('box', '=', box)
			.where('at_ms', 'in', surplus.slice(from, from + 1000))
			.execute();
	}
};
