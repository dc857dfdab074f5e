import type {IngestBatch} from '#ota/fleet/fleet-part.ts';
import type {BoxRow} from '#ota/fleet/ingest/apply-to-box.ts';
import type {FleetTransaction} from '#ota/fleet/ingest/ingest-store.ts';
import {chunksOf} from '#ota/fleet/store/chunks-of.ts';

/** Keeps the raised alarms, and answers the changed rows with what the worst of them makes of each box. */
export const writeAlarms = async (
	transaction: FleetTransaction,
	options: {
		readonly batch: IngestBatch;
		readonly boxes: ReadonlyMap<string, BoxRow>;
		readonly changed: ReadonlyMap<string, BoxRow>;
	},
): Promise<ReadonlyMap<string, BoxRow>> => {
	const touched = new Set<string>();
	for (const {box, event} of options.batch.events) {
		if (event.event.kind === 'alarm') {
			const {alarm, raised, message} = event.event.data;
			touched.add(box);
			if (raised) {
				const row = {box, alarm, severity: event.severity, message, since_ms: event.atMs};
				await transaction
					.insertInto('box_alarm')
					.values(row)
					.onConflict((conflict) =>
						conflict.columns(['box', 'alarm']).doUpdateSet({severity: row.severity, message: row.message}),
					)
					.execute();
			} else {
				await transaction.deleteFrom('box_alarm').where('box', '=', box).where('alarm', '=', alarm).execute();
			}
		}
	}
	if (touched.size === 0) {
		return options.changed;
	}
	const changed = new Map(options.changed);
	const worst = await worstAlarms(transaction, [...touched]);
	for (const box of touched) {
		const row = changed.get(box) ?? options.boxes.get(box);
		if (row !== undefined) {
			changed.set(box, {...row, alarm_health: worst.get(box) ?? 'ok'});
		}
	}
	return changed;
};

const worstAlarms = async (
	transaction: FleetTransaction,
	boxes: readonly string[],
): Promise<ReadonlyMap<string, 'warning' | 'critical'>> => {
	const worst = new Map<string, 'warning' | 'critical'>();
	for (const ids of chunksOf(boxes)) {
		for (const {box, severity} of await transaction
			.selectFrom('box_alarm')
			.select(['box', 'severity'])
			.where('box', 'in', ids)
			.where('severity', '<>', 'info')
			.execute()) {
			worst.set(box, severity === 'critical' || worst.get(box) === 'critical' ? 'critical' : 'warning');
		}
	}
	return worst;
};
