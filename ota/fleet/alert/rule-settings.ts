import type {AlertRule, AlertRuleSettings} from '#ota/contract/alert-api.ts';
import {alertRulePutSchema, alertRules} from '#ota/contract/alert-api.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;

type Default = Omit<AlertRuleSettings, 'rule'>;

const defaults: Readonly<Record<AlertRule, Default>> = {
	/** A rain cloud or a reboot is no alert. */
	'box-dark': {
		...{enabled: true, severity: 'critical', unit: 'ms', raiseAt: null, clearAt: null},
		...{raiseAfterMs: 5 * minuteMs, clearAfterMs: minuteMs},
	},
	'crash-loop': {
		...{enabled: true, severity: 'critical', unit: 'none', raiseAt: null, clearAt: null},
		...{raiseAfterMs: 0, clearAfterMs: 2 * minuteMs},
	},
	disk: {
		...{enabled: true, severity: 'warning', unit: 'percent', raiseAt: 5, clearAt: 8},
		...{raiseAfterMs: 0, clearAfterMs: 5 * minuteMs},
	},
	temperature: {
		...{enabled: true, severity: 'warning', unit: 'celsius', raiseAt: 90, clearAt: 80},
		...{raiseAfterMs: 2 * minuteMs, clearAfterMs: 5 * minuteMs},
	},
	signal: {
		...{enabled: true, severity: 'warning', unit: 'decibel', raiseAt: 1, clearAt: 2},
		...{raiseAfterMs: 2 * minuteMs, clearAfterMs: 5 * minuteMs},
	},
	'update-failed': {
		...{enabled: true, severity: 'critical', unit: 'none', raiseAt: null, clearAt: null},
		...{raiseAfterMs: 0, clearAfterMs: 0},
	},
	'certificate-expiry': {
		...{enabled: true, severity: 'warning', unit: 'ms', raiseAt: 7 * dayMs, clearAt: 14 * dayMs},
		...{raiseAfterMs: 0, clearAfterMs: 0},
	},
	/** Boxes of one site that are dark together, before one alert speaks for all of them. */
	'site-dark': {
		...{enabled: true, severity: 'critical', unit: 'none', raiseAt: 5, clearAt: 5},
		...{raiseAfterMs: 0, clearAfterMs: minuteMs},
	},
	'outbox-full': {
		...{enabled: true, severity: 'critical', unit: 'percent', raiseAt: 80, clearAt: 50},
		...{raiseAfterMs: 0, clearAfterMs: 0},
	},
};

export type RuleSettings = Readonly<Record<AlertRule, AlertRuleSettings>>;

const defaultRuleSettings = (rule: AlertRule): AlertRuleSettings => ({rule, ...defaults[rule]});

export const defaultSettings = Object.fromEntries(
	alertRules.map((rule) => [rule, defaultRuleSettings(rule)]),
) as RuleSettings;

export const readRuleSettings = async (database: FleetDatabase): Promise<RuleSettings> => {
	const rows = await database.selectFrom('alert_rule').selectAll().execute();
	const changed = new Map(rows.map((row) => [row.rule, alertRulePutSchema.parse(JSON.parse(row.settings))]));
	return Object.fromEntries(
		alertRules.map((rule) => [rule, {...defaultSettings[rule], ...changed.get(rule)}]),
	) as RuleSettings;
};

export const writeRuleSettings = async (
	database: FleetDatabase,
	{rule, settings}: {readonly rule: AlertRule; readonly settings: unknown},
): Promise<void> => {
	const text = JSON.stringify(alertRulePutSchema.parse(settings));
	await database
		.insertInto('alert_rule')
		.values({rule, settings: text})
		.onConflict((conflict) => conflict.column('rule').doUpdateSet({settings: text}))
		.execute();
};
