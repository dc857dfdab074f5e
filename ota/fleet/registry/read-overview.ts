import type {BoxKind} from '#appliance/contract/box-schema.ts';
import {boxKinds} from '#appliance/contract/box-schema.ts';
import type {Overview} from '#ota/contract/box-api.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

const updatingPhases = ['accepted', 'fetching', 'verified', 'installing', 'rebooting', 'confirming'] as const;

type KindCounts = Overview['byKind'][BoxKind];

/** Counts from two indexes that hold nothing else; measured at 100,000 boxes, see ota/README.md. */
export const readOverview = async (
	database: FleetDatabase,
	options: {readonly nowMs: number; readonly alerts: Overview['alerts']},
): Promise<Overview> => {
	const byKind = Object.fromEntries(
		boxKinds.map((kind): [BoxKind, KindCounts] => [kind, {boxes: 0, online: 0, byHealth: {}, byRelease: {}}]),
	) as Overview['byKind'];
	// By pairs: a box may say that its release is `constructor`, which a plain object has already.
	const releases = new Map(boxKinds.map((kind) => [kind, new Map<string, number>()]));
	const byHealth: Overview['byHealth'] = {ok: 0, warning: 0, critical: 0, unknown: 0};
	let boxes = 0;
	let online = 0;
	for (const {kind, release, health, presence, count} of await countByKind(database)) {
		const counts = byKind[kind as BoxKind];
		const isOnline = presence === 'online' ? count : 0;
		boxes += count;
		online += isOnline;
		byHealth[health as keyof typeof byHealth] += count;
		counts.boxes += count;
		counts.online += isOnline;
		counts.byHealth[health] = (counts.byHealth[health] ?? 0) + count;
		const ofKind = releases.get(kind as BoxKind);
		ofKind?.set(release, (ofKind.get(release) ?? 0) + count);
	}
	for (const kind of boxKinds) {
		byKind[kind].byRelease = Object.fromEntries(releases.get(kind) ?? []);
	}
	return {
		nowMs: options.nowMs,
		boxes,
		online,
		byHealth,
		byKind,
		sites: await readSites(database),
		updating: await countUpdating(database),
		alerts: options.alerts,
	};
};

const countByKind = async (database: FleetDatabase) => {
	const rows = await database
		.selectFrom('box')
		.select(['kind', 'release', 'health', 'presence'])
		.select((select) => select.fn.countAll<number>().as('count'))
		.where('revoked_ms', 'is', null)
		.groupBy(['kind', 'release', 'health', 'presence'])
		.execute();
	return rows.map((row) => ({...row, count: Number(row.count)}));
};

const readSites = async (database: FleetDatabase): Promise<Overview['sites']> => {
	const counts = new Map<string, {boxes: number; online: number; warning: number; critical: number}>();
	for (const {site, health, presence, count} of await database
		.selectFrom('box')
		.select(['site', 'health', 'presence'])
		.select((select) => select.fn.countAll<number>().as('count'))
		.where('revoked_ms', 'is', null)
		.where('site', 'is not', null)
		.groupBy(['site', 'health', 'presence'])
		.execute()) {
		const of = counts.get(site ?? '') ?? {boxes: 0, online: 0, warning: 0, critical: 0};
		counts.set(site ?? '', of);
		of.boxes += Number(count);
		of.online += presence === 'online' ? Number(count) : 0;
		if (health === 'warning' || health === 'critical') {
			of[health] += Number(count);
		}
	}
	const sites = await database.selectFrom('site').selectAll().orderBy('id').execute();
	return sites.map(({id, name, latitude, longitude, time_zone: timeZone}) => ({
		...{id, name, latitude, longitude, timeZone},
		...(counts.get(id) ?? {boxes: 0, online: 0, warning: 0, critical: 0}),
	}));
};

const countUpdating = async (database: FleetDatabase): Promise<number> => {
	const {count} = await database
		.selectFrom('box')
		.select((select) => select.fn.countAll<number>().as('count'))
		.where('update_phase', 'in', updatingPhases)
		.executeTakeFirstOrThrow();
	return Number(count);
};
