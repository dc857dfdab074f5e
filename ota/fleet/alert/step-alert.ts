import type {AlertRule, AlertRuleSettings} from '#ota/contract/alert-api.ts';

/** What was seen of one subject by one rule. `unchanged` lies between the thresholds (hysteresis). */
export type Finding = {
	readonly rule: AlertRule;
	/** `box:<id>`, `site:<id>` or `server`. */
	readonly subject: string;
	readonly box: string | null;
	readonly site: string | null;
	readonly verdict: 'bad' | 'good' | 'unchanged';
	readonly message: string;
	readonly value: number | null;
	/** Since when it is so, if that is known; otherwise since it was first seen. */
	readonly sinceMs?: number;
	readonly boxes?: number;
};

export type OpenAlert = {
	readonly state: 'pending' | 'raised' | 'cleared';
	readonly bad: boolean;
	/** When `bad` last changed. */
	readonly sinceMs: number;
	readonly raisedMs: number;
	readonly clearedMs: number | null;
	readonly count: number;
};

export type AlertStep = {
	readonly next: OpenAlert | 'forget' | undefined;
	readonly effect: 'raised' | 'cleared' | 'none';
};

/** An alert that comes back within this time is the same one, flapping. */
export const flapWindowMs = 15 * 60_000;
/** From here on a flapping alert is raised and cleared in silence, and only clears after the window. */
export const flapCountMax = 3;

/** One look later. Pure: what is not there yet, is on its way, raised, on its way out, or comes back. */
export const stepAlert = (
	current: OpenAlert | undefined,
	finding: Pick<Finding, 'verdict' | 'sinceMs'>,
	{settings, nowMs}: {readonly settings: AlertRuleSettings; readonly nowMs: number},
): AlertStep => {
	const verdict = settings.enabled ? finding.verdict : 'good';
	const stay: AlertStep = {next: undefined, effect: 'none'};
	if (current === undefined || current.state === 'cleared') {
		return verdict === 'bad' ? begin(current, {finding, settings, nowMs}) : stay;
	}
	const bad = verdict === 'unchanged' ? current.bad : verdict === 'bad';
	const turned = bad === current.bad ? current : {...current, bad, sinceMs: bad ? (finding.sinceMs ?? nowMs) : nowMs};
	if (current.state === 'pending') {
		if (!bad) {
			return {next: current.count === 0 ? 'forget' : {...current, bad: false, state: 'cleared'}, effect: 'none'};
		}
		return nowMs - turned.sinceMs >= settings.raiseAfterMs ? raise(turned, nowMs) : stay;
	}
	const isFlapping = current.count > flapCountMax;
	const clearAfterMs = isFlapping ? Math.max(settings.clearAfterMs, flapWindowMs) : settings.clearAfterMs;
	if (!turned.bad && nowMs - turned.sinceMs >= clearAfterMs) {
		return {next: {...turned, state: 'cleared', clearedMs: nowMs}, effect: 'cleared'};
	}
	return turned === current ? stay : {next: turned, effect: 'none'};
};

const begin = (
	before: OpenAlert | undefined,
	{
		finding,
		settings,
		nowMs,
	}: {
		readonly finding: Pick<Finding, 'sinceMs'>;
		readonly settings: AlertRuleSettings;
		readonly nowMs: number;
	},
): AlertStep => {
	const sinceMs = finding.sinceMs ?? nowMs;
	const returns = before?.clearedMs != null && nowMs - before.clearedMs < flapWindowMs;
	const pending: OpenAlert = {
		state: 'pending',
		bad: true,
		sinceMs,
		raisedMs: nowMs,
		clearedMs: returns ? (before?.clearedMs ?? null) : null,
		count: returns ? (before?.count ?? 0) : 0,
	};
	return nowMs - sinceMs >= settings.raiseAfterMs ? raise(pending, nowMs) : {next: pending, effect: 'none'};
};

const raise = (pending: OpenAlert, nowMs: number): AlertStep => ({
	next: {...pending, state: 'raised', raisedMs: nowMs, clearedMs: null, count: pending.count + 1},
	effect: 'raised',
});
