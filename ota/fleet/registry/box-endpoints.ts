import {z} from 'zod';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {reportedSchema} from '#appliance/contract/fleet/reported-schema.ts';
import {
	type BoxDetail,
	boxDetailSchema,
	boxExportQuerySchema,
	boxPageSchema,
	boxPatchSchema,
	boxQuerySchema,
} from '#ota/contract/box-api.ts';
import {apiError, editConflict, notFound} from '#ota/fleet/api/api-error.ts';
import {type AnyEndpoint, endpoint} from '#ota/fleet/api/endpoint.ts';
import type {FleetErrorCode} from '#ota/fleet/fleet-error.ts';
import type {FleetContext} from '#ota/fleet/fleet-part.ts';
import type {OrderDesk} from '#ota/fleet/order/order-desk.ts';
import {boxSummary} from '#ota/fleet/registry/box-view.ts';
import {exportBoxes} from '#ota/fleet/registry/export-boxes.ts';
import {listBoxes} from '#ota/fleet/registry/list-boxes.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

type Context = FleetContext & {readonly orderDesk: OrderDesk};

export const boxParametersSchema = z.strictObject({id: deviceIdSchema});
const tag = 'boxes';

export const boxEndpoints = (context: Context): readonly AnyEndpoint[] => [
	...boxLists(context),
	endpoint({
		method: 'GET',
		path: '/boxes/{id}',
		operationId: 'readBox',
		tag,
		summary: 'Everything that is known of one box. Its ETag is what PATCH wants.',
		role: 'viewer',
		parameters: boxParametersSchema,
		answer: boxDetailSchema,
		handle: async ({parameters: {id}}) => readBox(context.store.database, id),
	}),
	patchBox(context),
];

const boxLists = ({store, clock}: Context): readonly AnyEndpoint[] => [
	endpoint({
		method: 'GET',
		path: '/boxes',
		operationId: 'listBoxes',
		tag,
		summary: 'Boxes by filter and order. The first page tells how many match.',
		role: 'viewer',
		query: boxQuerySchema,
		answer: boxPageSchema,
		handle: async ({query}) => ({body: await listBoxes(store, query, {nowMs: clock.nowMs()})}),
	}),
	endpoint({
		method: 'GET',
		path: '/boxes/export',
		operationId: 'exportBoxes',
		tag,
		summary: 'All boxes that match, as CSV or JSON.',
		role: 'viewer',
		query: boxExportQuerySchema,
		contentType: 'text/csv; charset=utf-8',
		handle: ({query}) =>
			Promise.resolve({
				stream: exportBoxes(store, {...query, nowMs: clock.nowMs()}),
				headers: {
					'Content-Disposition': `attachment; filename="boxes.${query.format}"`,
					...(query.format === 'json' ? {'Content-Type': 'application/json'} : {}),
				},
			}),
	}),
];

const configSchema = z.record(z.string(), z.json());

const readBox = async (
	database: FleetDatabase,
	id: string,
): Promise<{readonly body: BoxDetail; readonly editVersion: number}> => {
	const row = await database.selectFrom('box').selectAll().where('id', '=', id).executeTakeFirst();
	if (row === undefined) {
		throw notFound('box');
	}
	const report = await database.selectFrom('box_report').select('reported').where('box', '=', id).executeTakeFirst();
	const desired = await database.selectFrom('desired').select('config').where('box', '=', id).executeTakeFirst();
	return {
		editVersion: row.edit_version,
		body: {
			...boxSummary(row),
			reported: report === undefined ? null : reportedSchema.parse(JSON.parse(report.reported)),
			desiredRevision: row.desired_revision,
			desiredKeptRevision: row.desired_kept,
			config: desired === undefined ? {} : configSchema.parse(JSON.parse(desired.config)),
		},
	};
};

const patchBox = ({store: {database}, orderDesk, changes}: Context): AnyEndpoint =>
	endpoint({
		method: 'PATCH',
		path: '/boxes/{id}',
		operationId: 'changeBox',
		tag,
		summary: 'Change the site, the tags or the config overlay of a box.',
		role: 'operator',
		concurrency: true,
		parameters: boxParametersSchema,
		body: boxPatchSchema,
		answer: boxDetailSchema,
		auditBox: ({id}) => id,
		handle: async ({parameters: {id}, body, ifMatch = 0}) => {
			await database.transaction().execute(async (transaction) => {
				if (body.site !== undefined && body.site !== null) {
					const site = await transaction.selectFrom('site').select('id').where('id', '=', body.site).executeTakeFirst();
					if (site === undefined) {
						throw apiError<FleetErrorCode>('OTA_UNKNOWN_SITE', {
							status: 400,
							message: `There is no site ${body.site}.`,
						});
					}
				}
				const {numUpdatedRows} = await transaction
					.updateTable('box')
					.set({
						edit_version: ifMatch + 1,
						...(body.site === undefined ? {} : {site: body.site}),
						...(body.tags === undefined ? {} : {tags: JSON.stringify([...new Set(body.tags)].sort())}),
					})
					.where('id', '=', id)
					.where('edit_version', '=', ifMatch)
					.executeTakeFirst();
				if (numUpdatedRows === 0n) {
					const box = await transaction.selectFrom('box').select('id').where('id', '=', id).executeTakeFirst();
					throw box === undefined ? notFound('box') : editConflict();
				}
				if (body.config !== undefined) {
					await orderDesk.setConfig(transaction, id, body.config);
				} else if (body.site !== undefined) {
					// Another site has other maintenance windows.
					await orderDesk.markDirty(transaction, [id]);
				}
			});
			orderDesk.wake();
			changes.publish({kind: 'boxes', ids: [id]});
			return readBox(database, id);
		},
	});
