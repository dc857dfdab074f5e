import type {Transaction} from 'kysely';
import {applyFindings} from '#ota/fleet/alert/apply-findings.ts';
import {
	findDarkBoxes,
	findDarkSites,
	findFullOutbox,
	findOrphaned,
	findWaiting,
} from '#ota/fleet/alert/find-in-fleet.ts';
import {readRuleSettings} from '#ota/fleet/alert/rule-settings.ts';
import type {FleetContext} from '#ota/fleet/fleet-part.ts';
import type {FleetTables} from '#ota/fleet/store/fleet-database.ts';

const clearedKeptMs = 90 * 86_400_000;

export type OutboxMeasure = () => Promise<{
	readonly bytes: number;
	readonly bytesMax: number;
	readonly droppedRows: number;
}>;

/** One look over the fleet: what lasted long enough is raised or cleared, and what belongs together is grouped. */
export const sweepAlerts = async (
	{store, clock, changes}: FleetContext,
	{measureOutbox}: {readonly measureOutbox: OutboxMeasure | undefined},
): Promise<void> => {
	const nowMs = clock.nowMs();
	const [settings, outbox] = await Promise.all([readRuleSettings(store.database), measureOutbox?.()]);
	const changed = await store.database.transaction().execute(async (transaction) => {
		const look = {settings, nowMs, engine: store.engine};
		const boxes = [
			...(await findWaiting(transaction)),
			...(await findDarkBoxes(transaction, look)),
			...(await findOrphaned(transaction, look)),
		];
		const first = await applyFindings(transaction, lastOfEach(boxes), look);
		const sites = [
			...(await findDarkSites(transaction, look)),
			...(outbox === undefined ? [] : [findFullOutbox(outbox, look)]),
		];
		const second = await applyFindings(transaction, sites, look);
		await groupBySite(transaction);
		return [...first, ...second];
	});
	await store.database
		.deleteFrom('alert')
		.where('state', '=', 'cleared')
		.where('cleared_ms', '<', nowMs - clearedKeptMs)
		.execute();
	await store.database.deleteFrom('alert_mute').where('until_ms', '<', nowMs).execute();
	if (changed.length > 0) {
		changes.publish({kind: 'alerts'});
	}
};

/** A box that just went dark or came back says more than one that only waits. */
const lastOfEach = <Found extends {readonly rule: string; readonly subject: string}>(
	findings: readonly Found[],
): readonly Found[] => [...new Map(findings.map((found) => [`${found.rule} ${found.subject}`, found])).values()];

/** The boxes of a dark site are spoken for by its alert, until it is cleared. */
const groupBySite = async (transaction: Transaction<FleetTables>): Promise<void> => {
	const sites = await transaction
		.selectFrom('alert')
		.select(['id', 'site', 'state'])
		.where('rule', '=', 'site-dark')
		.where('state', '=', 'raised')
		.execute();
	for (const {id, site} of sites) {
		await transaction
			.updateTable('alert')
			.set({group_id: id})
			.where('rule', '=', 'box-dark')
			.where('state', '=', 'raised')
			.where('site', site === null ? 'is' : '=', site)
			.where('group_id', 'is', null)
			.execute();
	}
	await transaction
		.updateTable('alert')
		.set({group_id: null})
		.where('group_id', 'is not', null)
		.where('state', '=', 'raised')
		.where('group_id', 'not in', [...sites.map(({id}) => id), ''])
		.execute();
};
