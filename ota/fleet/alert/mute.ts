import {evaluateFilter} from '#appliance/filter/evaluate-filter.ts';
import type {FilterFacts} from '#appliance/filter/filter-fields.ts';
import type {FilterNode} from '#appliance/filter/filter-node.ts';
import {parseFilter} from '#appliance/filter/parse-filter.ts';
import {filterFacts} from '#ota/fleet/registry/box-view.ts';
import {chunksOf} from '#ota/fleet/store/chunks-of.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

export type IsMuted = (alert: {readonly rule: string; readonly box: string | null}) => boolean;

type Mute = {readonly rule: string | null; readonly node: FilterNode};

/** Which of these alerts are muted now. A mute with a filter is about boxes; one of a site or the server needs none. */
export const readMuted = async (
	database: FleetDatabase,
	alerts: readonly {readonly box: string | null}[],
	nowMs: number,
): Promise<IsMuted> => {
	const rows = await database.selectFrom('alert_mute').selectAll().where('until_ms', '>', nowMs).execute();
	if (rows.length === 0) {
		return () => false;
	}
	const mutes = rows.map((row): Mute => ({rule: row.rule, node: parseFilter(row.filter)}));
	const boxes = mutes.every(({node}) => node.kind === 'all') ? new Map() : await readFacts(database, alerts);
	return ({rule, box}) =>
		mutes.some((mute) => {
			if (mute.rule !== null && mute.rule !== rule) {
				return false;
			}
			const facts = box === null ? undefined : boxes.get(box);
			return mute.node.kind === 'all' || (facts !== undefined && evaluateFilter(mute.node, facts, {nowMs}));
		});
};

const readFacts = async (
	database: FleetDatabase,
	alerts: readonly {readonly box: string | null}[],
): Promise<Map<string, FilterFacts>> => {
	const ids = new Set(alerts.flatMap(({box}) => (box === null ? [] : [box])));
	const facts = new Map<string, FilterFacts>();
	for (const chunk of chunksOf([...ids])) {
		for (const row of await database
			.selectFrom('box')
			.selectAll()
			.where('id', 'in', [...chunk])
			.execute()) {
			facts.set(row.id, filterFacts(row));
		}
	}
	return facts;
};
