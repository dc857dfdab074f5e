import type {Transaction} from 'kysely';
import {alertRuleSchema} from '#ota/contract/alert-api.ts';
import {judgeNumber} from '#ota/fleet/alert/judge-number.ts';
import type {RuleSettings} from '#ota/fleet/alert/rule-settings.ts';
import {sayDuration, sayMoment} from '#ota/fleet/alert/say-moment.ts';
import type {Finding} from '#ota/fleet/alert/step-alert.ts';
import type {FleetTables} from '#ota/fleet/store/fleet-database.ts';

/** Of one look: a storm beyond it is worked off in the looks that follow. */
export const findingsMax = 2000;

type Look = {readonly settings: RuleSettings; readonly nowMs: number};

/** Boxes that are offline for long enough and have no alert yet, and alerts of boxes that are back or gone. */
export const findDarkBoxes = async (
	transaction: Transaction<FleetTables>,
	{settings, nowMs}: Look,
): Promise<readonly Finding[]> => {
	const dark = await transaction
		.selectFrom('box')
		.select(['id', 'site', 'last_seen_ms'])
		.where('presence', '=', 'offline')
		.where('revoked_ms', 'is', null)
		.where('last_seen_ms', '<=', nowMs - settings['box-dark'].raiseAfterMs)
		.where(({not, exists, selectFrom}) =>
			not(
				exists(
					selectFrom('alert')
						.select('alert.id')
						.whereRef('alert.box', '=', 'box.id')
						.where('alert.rule', '=', 'box-dark')
						.where('alert.state', '=', 'raised')
						.where('alert.bad', '=', 1),
				),
			),
		)
		.orderBy('id')
		.limit(findingsMax)
		.execute();
	const back = await transaction
		.selectFrom('alert')
		.leftJoin('box', 'box.id', 'alert.box')
		.select(['alert.box as id', 'alert.site'])
		.where('alert.rule', '=', 'box-dark')
		.where('alert.state', '!=', 'cleared')
		.where('alert.bad', '=', 1)
		.where('box.presence', '=', 'online')
		.limit(findingsMax)
		.execute();
	const finding = {rule: 'box-dark', value: null} as const;
	return [
		...dark.map(
			({id, site, last_seen_ms: lastMs}): Finding => ({
				...finding,
				...{subject: `box:${id}`, box: id, site, verdict: 'bad', sinceMs: lastMs ?? nowMs},
				message: `Last heard of ${sayMoment(lastMs ?? nowMs)}, ${sayDuration(nowMs - (lastMs ?? nowMs))} before this alert.`,
			}),
		),
		...back.map(
			({id, site}): Finding => ({
				...finding,
				...{subject: `box:${id}`, box: id, site, verdict: 'good', message: 'The box is back.'},
			}),
		),
	];
};

/** Open alerts that nothing will clear: those of boxes that are revoked or gone, and of rules that were switched off. */
export const findOrphaned = async (
	transaction: Transaction<FleetTables>,
	{settings}: Look,
): Promise<readonly Finding[]> => {
	const off = Object.values(settings).flatMap(({rule, enabled}) => (enabled ? [] : [rule]));
	const rows = await transaction
		.selectFrom('alert')
		.leftJoin('box', 'box.id', 'alert.box')
		.select(['alert.rule', 'alert.subject', 'alert.box', 'alert.site'])
		.where('alert.state', '!=', 'cleared')
		.where('alert.bad', '=', 1)
		.where(({or, and, eb}) =>
			or([
				and([eb('alert.box', 'is not', null), or([eb('box.id', 'is', null), eb('box.revoked_ms', 'is not', null)])]),
				...(off.length === 0 ? [] : [eb('alert.rule', 'in', off)]),
			]),
		)
		.limit(findingsMax)
		.execute();
	return rows.map((row) => ({
		...row,
		...{rule: alertRuleSchema.parse(row.rule), verdict: 'good', message: '', value: null},
	}));
};

/** Open alerts that wait for time to pass: to be raised, or to be cleared. */
export const findWaiting = async (transaction: Transaction<FleetTables>): Promise<readonly Finding[]> => {
	const rows = await transaction
		.selectFrom('alert')
		.select(['rule', 'subject', 'box', 'site'])
		.where(({or, and, eb}) => or([eb('state', '=', 'pending'), and([eb('state', '=', 'raised'), eb('bad', '=', 0)])]))
		.orderBy('since_ms')
		.limit(findingsMax)
		.execute();
	return rows.map((row) => ({
		...row,
		rule: alertRuleSchema.parse(row.rule),
		verdict: 'unchanged',
		message: '',
		value: null,
	}));
};

/** Sites where many boxes are dark together: one alert speaks for all of them. */
export const findDarkSites = async (
	transaction: Transaction<FleetTables>,
	{settings}: Look,
): Promise<readonly Finding[]> => {
	const {raiseAt, clearAt} = settings['site-dark'];
	const counted = await transaction
		.selectFrom('alert')
		.select(({fn}) => ['site', fn.countAll().as('count')])
		.where('rule', '=', 'box-dark')
		.where('state', '=', 'raised')
		.where('bad', '=', 1)
		.groupBy('site')
		.execute();
	const open = await transaction
		.selectFrom('alert')
		.select('site')
		.where('rule', '=', 'site-dark')
		.where('state', '!=', 'cleared')
		.execute();
	const counts = new Map<string | null, number>([
		...open.map(({site}) => [site, 0] as const),
		...counted.map(({site, count}) => [site, Number(count)] as const),
	]);
	return [...counts].map(([site, boxes]) => ({
		rule: 'site-dark',
		subject: siteSubject(site),
		box: null,
		site,
		verdict: boxes >= (raiseAt ?? Number.POSITIVE_INFINITY) ? 'bad' : boxes < (clearAt ?? 1) ? 'good' : 'unchanged',
		message: `${boxes} boxes ${site === null ? 'without a site' : `of the site ${site}`} are dark.`,
		value: boxes,
		boxes,
	}));
};

export const siteSubject = (site: string | null): string => `site:${site ?? ''}`;

/** What waits for Kafka, against its bound. */
export const findFullOutbox = (
	outbox: {readonly bytes: number; readonly bytesMax: number; readonly droppedRows: number},
	{settings}: Look,
): Finding => {
	const percent = Math.round((outbox.bytes / outbox.bytesMax) * 100);
	return {
		rule: 'outbox-full',
		subject: 'server',
		box: null,
		site: null,
		verdict: judgeNumber(percent, settings['outbox-full']),
		message: `The outbox for Kafka is ${percent} % full; ${outbox.droppedRows} records of telemetry were given up so far.`,
		value: percent,
	};
};
