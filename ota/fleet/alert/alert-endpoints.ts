import {randomUUID} from 'node:crypto';
import {errorMessage} from '#appliance/error/coded-error.ts';
import {parseFilter} from '#appliance/filter/parse-filter.ts';
import {idParametersSchema} from '#ota/contract/account-api.ts';
import {
	alertAcknowledgeSchema,
	alertMuteCreateSchema,
	alertMutePageSchema,
	alertMuteSchema,
	alertPageSchema,
	alertQuerySchema,
	alertRuleListSchema,
	alertRuleParametersSchema,
	alertRulePutSchema,
	alertRuleSettingsSchema,
	alertRules,
	alertSchema,
} from '#ota/contract/alert-api.ts';
import {alertError} from '#ota/fleet/alert/alert-error.ts';
import {acknowledgeAlert, listAlerts, readAlert} from '#ota/fleet/alert/alert-store.ts';
import {readRuleSettings, writeRuleSettings} from '#ota/fleet/alert/rule-settings.ts';
import {apiError, notFound} from '#ota/fleet/api/api-error.ts';
import {type AnyEndpoint, endpoint} from '#ota/fleet/api/endpoint.ts';
import type {FleetContext} from '#ota/fleet/fleet-part.ts';

const tag = 'alerts';

export const createAlertEndpoints = (context: FleetContext): readonly AnyEndpoint[] => [
	...createListEndpoints(context),
	...createMuteEndpoints(context),
	...createRuleEndpoints(context),
];

const createListEndpoints = ({store: {database}, clock, changes}: FleetContext): readonly AnyEndpoint[] => [
	endpoint({
		tag,
		method: 'GET',
		path: '/alerts',
		operationId: 'listAlerts',
		summary: 'Alerts, newest first',
		role: 'viewer',
		query: alertQuerySchema,
		answer: alertPageSchema,
		handle: async ({query}) => ({body: await listAlerts(database, {query, nowMs: clock.nowMs()})}),
	}),
	endpoint({
		tag,
		method: 'POST',
		path: '/alerts/{id}/acknowledge',
		operationId: 'acknowledgeAlert',
		summary: 'Say that somebody looks after it',
		role: 'operator',
		parameters: idParametersSchema,
		body: alertAcknowledgeSchema,
		answer: alertSchema,
		handle: async ({parameters: {id}, body: {note}, actor}) => {
			const nowMs = clock.nowMs();
			await readAlert(database, {id, nowMs});
			await acknowledgeAlert(database, {id, note, by: actor.name, nowMs});
			changes.publish({kind: 'alerts', ids: [id]});
			return {body: await readAlert(database, {id, nowMs})};
		},
	}),
];

const createMuteEndpoints = ({store: {database}, clock, changes}: FleetContext): readonly AnyEndpoint[] => [
	endpoint({
		tag,
		method: 'GET',
		path: '/alert-mutes',
		operationId: 'listAlertMutes',
		summary: 'What is muted now',
		role: 'viewer',
		answer: alertMutePageSchema,
		handle: async () => {
			const query = database.selectFrom('alert_mute').selectAll().where('until_ms', '>', clock.nowMs());
			const rows = await query.orderBy('until_ms').limit(mutesMax).execute();
			return {body: {items: rows.map(toMute)}};
		},
	}),
	endpoint({
		tag,
		method: 'POST',
		path: '/alert-mutes',
		operationId: 'muteAlerts',
		summary: 'Notify nobody of a rule, or of the boxes of a filter, for a time',
		role: 'operator',
		body: alertMuteCreateSchema,
		answer: alertMuteSchema,
		handle: async ({body, actor}) => {
			const nowMs = clock.nowMs();
			checkFilter(body.filter);
			if (body.untilMs <= nowMs || body.untilMs > nowMs + muteMsMax) {
				throw alertError('OTA_ALERT_MUTE_PAST', {
					status: 400,
					message: 'A mute ends in the future, and within 90 days.',
				});
			}
			const row = {
				id: randomUUID(),
				rule: body.rule,
				filter: body.filter,
				until_ms: body.untilMs,
				reason: body.reason,
				by_name: actor.name,
				created_ms: nowMs,
			};
			await database.insertInto('alert_mute').values(row).execute();
			changes.publish({kind: 'alerts'});
			return {status: 201, body: toMute(row)};
		},
	}),
	endpoint({
		tag,
		method: 'DELETE',
		path: '/alert-mutes/{id}',
		operationId: 'unmuteAlerts',
		summary: 'End a mute',
		role: 'operator',
		parameters: idParametersSchema,
		handle: async ({parameters: {id}}) => {
			const {numDeletedRows} = await database.deleteFrom('alert_mute').where('id', '=', id).executeTakeFirst();
			if (numDeletedRows === 0n) {
				throw notFound('mute');
			}
			changes.publish({kind: 'alerts'});
			return {status: 204};
		},
	}),
];

const muteMsMax = 90 * 86_400_000;
const mutesMax = 500;

type MuteRow = {
	readonly id: string;
	readonly rule: string | null;
	readonly filter: string;
	readonly until_ms: number;
	readonly reason: string;
	readonly by_name: string;
	readonly created_ms: number;
};

const toMute = (row: MuteRow) =>
	alertMuteSchema.parse({
		id: row.id,
		rule: row.rule,
		filter: row.filter,
		untilMs: row.until_ms,
		reason: row.reason,
		by: row.by_name,
		createdMs: row.created_ms,
	});

const checkFilter = (filter: string): void => {
	try {
		parseFilter(filter);
	} catch (error) {
		throw apiError('OTA_API_INVALID', {
			status: 400,
			message: `The filter was not understood: ${errorMessage(error)}`,
			errors: [{in: 'body', field: 'filter', message: errorMessage(error)}],
			cause: error,
		});
	}
};

const createRuleEndpoints = ({store: {database}, changes}: FleetContext): readonly AnyEndpoint[] => [
	endpoint({
		tag,
		method: 'GET',
		path: '/alert-rules',
		operationId: 'listAlertRules',
		summary: 'The rules and their thresholds',
		role: 'viewer',
		answer: alertRuleListSchema,
		handle: async () => {
			const settings = await readRuleSettings(database);
			return {body: {items: alertRules.map((rule) => settings[rule])}};
		},
	}),
	endpoint({
		tag,
		method: 'PUT',
		path: '/alert-rules/{rule}',
		operationId: 'setAlertRule',
		summary: 'Change a rule’s thresholds',
		role: 'admin',
		parameters: alertRuleParametersSchema,
		body: alertRulePutSchema,
		answer: alertRuleSettingsSchema,
		handle: async ({parameters: {rule}, body}) => {
			const before = (await readRuleSettings(database))[rule];
			checkThresholds(before, body);
			await writeRuleSettings(database, {rule, settings: body});
			changes.publish({kind: 'alerts'});
			return {body: (await readRuleSettings(database))[rule]};
		},
	}),
];

type Thresholds = {readonly raiseAt: number | null; readonly clearAt: number | null};

/** Which side is bad is told by their order, which must stay what it is; a rule without numbers takes none. */
const checkThresholds = (before: Thresholds, after: Thresholds): void => {
	const order = ({raiseAt, clearAt}: Thresholds): number => Math.sign((raiseAt ?? 0) - (clearAt ?? 0));
	const isNumber = before.raiseAt !== null;
	const fits =
		isNumber === (after.raiseAt !== null) &&
		isNumber === (after.clearAt !== null) &&
		(order(after) === order(before) || order(after) * order(before) === 0);
	if (!fits) {
		throw alertError('OTA_ALERT_THRESHOLDS_WRONG', {
			status: 400,
			message: 'The two thresholds stand the wrong way round, or this rule has none.',
		});
	}
};
