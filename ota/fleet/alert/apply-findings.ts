import {randomUUID} from 'node:crypto';
import type {Selectable, Transaction} from 'kysely';
import type {AlertRuleSettings} from '#ota/contract/alert-api.ts';
import type {RuleSettings} from '#ota/fleet/alert/rule-settings.ts';
import {type Finding, flapCountMax, flapWindowMs, type OpenAlert, stepAlert} from '#ota/fleet/alert/step-alert.ts';
import type {AlertTable} from '#ota/fleet/store/alert-tables.ts';
import {chunksOf} from '#ota/fleet/store/chunks-of.ts';
import type {FleetTables} from '#ota/fleet/store/fleet-database.ts';
import type {DatabaseEngine} from '#ota/fleet/store/open-fleet-database.ts';

export type AlertRow = Selectable<AlertTable>;
export type AlertChange = {readonly effect: 'raised' | 'cleared'; readonly alert: AlertRow};

const keyOf = ({rule, subject}: {readonly rule: string; readonly subject: string}): string => `${rule} ${subject}`;

type Look = {readonly settings: RuleSettings; readonly nowMs: number; readonly engine: DatabaseEngine};

/** Brings the alerts to what was found, and answers those that were raised or cleared by it. */
export const applyFindings = async (
	transaction: Transaction<FleetTables>,
	findings: readonly Finding[],
	look: Look,
): Promise<readonly AlertChange[]> => {
	const {settings, nowMs} = look;
	const known = await readLatest(transaction, findings, look);
	const fresh: AlertRow[] = [];
	const kept: AlertRow[] = [];
	const forgotten: string[] = [];
	const changes: AlertChange[] = [];
	// In one order everywhere, so that two servers wait for each other and never both.
	for (const finding of findings.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1))) {
		const row = known.get(keyOf(finding));
		const step = stepAlert(row && toOpen(row), finding, {settings: settings[finding.rule], nowMs});
		const isNews = row?.state === 'raised' && finding.verdict === 'bad' && row.message !== finding.message;
		if (step.next === 'forget') {
			forgotten.push(...(row === undefined ? [] : [row.id]));
		} else if (step.next !== undefined || isNews) {
			const next = step.next ?? toOpen(row as AlertRow);
			const {alert, isFresh} = alertOf({row, finding, next, settings: settings[finding.rule], nowMs});
			(isFresh ? fresh : kept).push(alert);
			if (step.effect !== 'none') {
				changes.push({effect: step.effect, alert});
			}
		}
	}
	const lost = await writeAlerts(transaction, {fresh, kept, forgotten});
	return changes.filter(({alert}) => !lost.has(alert.id));
};

/** A storm is a few statements, not one per box. Answers the fresh ones where another server was first. */
const writeAlerts = async (
	transaction: Transaction<FleetTables>,
	{
		fresh,
		kept,
		forgotten,
	}: {readonly fresh: readonly AlertRow[]; readonly kept: readonly AlertRow[]; readonly forgotten: readonly string[]},
): Promise<ReadonlySet<string>> => {
	const lost = new Set(fresh.map(({id}) => id));
	for (const rows of chunksOf(fresh, columnsPerRow)) {
		const insert = transaction.insertInto('alert').values([...rows]);
		for (const {id} of await insert
			.onConflict((conflict) => conflict.doNothing())
			.returning('id')
			.execute()) {
			lost.delete(id);
		}
	}
	for (const rows of chunksOf(kept, columnsPerRow)) {
		await transaction
			.insertInto('alert')
			.values([...rows])
			.onConflict((conflict) =>
				conflict
					.column('id')
					.doUpdateSet(({ref}) => Object.fromEntries(changingColumns.map((name) => [name, ref(`excluded.${name}`)]))),
			)
			.execute();
	}
	for (const ids of chunksOf(forgotten)) {
		await transaction
			.deleteFrom('alert')
			.where('id', 'in', [...ids])
			.execute();
	}
	return lost;
};

const columnsPerRow = 21;
/** What an acknowledgement or a group meanwhile set is not written over. */
const changingColumns = [
	...(['site', 'severity', 'message', 'value', 'state', 'since_ms', 'bad', 'raised_ms', 'changed_ms'] as const),
	...(['cleared_ms', 'count', 'boxes', 'notified'] as const),
];

/** Of each rule and subject the open alert, or else the one cleared last, where that was not long ago. */
const readLatest = async (
	transaction: Transaction<FleetTables>,
	findings: readonly Finding[],
	{engine, nowMs}: Look,
): Promise<Map<string, AlertRow>> => {
	const latest = new Map<string, AlertRow>();
	for (const subjects of chunksOf([...new Set(findings.map(({subject}) => subject))].sort())) {
		const query = transaction
			.selectFrom('alert')
			.selectAll()
			.where('subject', 'in', [...subjects])
			.where(({or, eb}) => or([eb('state', '!=', 'cleared'), eb('cleared_ms', '>', nowMs - flapWindowMs)]))
			.orderBy('rule')
			.orderBy('subject')
			.orderBy('raised_ms');
		for (const row of await (engine === 'postgres' ? query.forUpdate() : query).execute()) {
			const other = latest.get(keyOf(row));
			if (other === undefined || other.state === 'cleared') {
				latest.set(keyOf(row), row);
			}
		}
	}
	return latest;
};

const toOpen = (row: AlertRow): OpenAlert => ({
	state: row.state === 'raised' || row.state === 'pending' ? row.state : 'cleared',
	bad: row.bad === 1,
	sinceMs: row.since_ms,
	raisedMs: row.raised_ms,
	clearedMs: row.cleared_ms,
	count: row.count,
});

const alertOf = (options: {
	readonly row: AlertRow | undefined;
	readonly finding: Finding;
	readonly next: OpenAlert;
	readonly settings: AlertRuleSettings;
	readonly nowMs: number;
}): {readonly alert: AlertRow; readonly isFresh: boolean} => {
	const {row, finding, next, settings, nowMs} = options;
	// One that comes back soon is the same alert again; after longer it is another.
	const reopened =
		row !== undefined && (row.state !== 'cleared' || next.count > (next.state === 'pending' ? 0 : 1)) ? row : undefined;
	const told = finding.verdict === 'bad' || reopened === undefined;
	const values = {
		rule: finding.rule,
		subject: finding.subject,
		box: finding.box,
		site: finding.site ?? reopened?.site ?? null,
		severity: settings.severity,
		message: (told ? finding.message : reopened.message).slice(0, 1024),
		value: told ? finding.value : reopened.value,
		state: next.state,
		since_ms: next.sinceMs,
		bad: next.bad ? 1 : 0,
		raised_ms: next.raisedMs,
		changed_ms: nowMs,
		cleared_ms: next.clearedMs,
		count: next.count,
		boxes: finding.boxes ?? reopened?.boxes ?? null,
		// What flaps was told of often enough.
		notified:
			reopened === undefined || (reopened.state === 'cleared' && next.count <= flapCountMax) ? 0 : reopened.notified,
	};
	if (reopened !== undefined) {
		return {isFresh: false, alert: {...reopened, ...values}};
	}
	const untouched = {acknowledged_by: null, acknowledged_ms: null, acknowledged_note: null, group_id: null};
	return {isFresh: true, alert: {...values, ...untouched, id: randomUUID()}};
};
