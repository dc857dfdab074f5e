import {z} from 'zod';
import {severities} from '#appliance/contract/fleet/spool-schema.ts';
import {boxEventPageSchema, telemetryAnswerSchema, telemetryQuerySchema} from '#ota/contract/box-api.ts';
import {pageQuerySchema} from '#ota/contract/page-api.ts';
import {type AnyEndpoint, endpoint} from '#ota/fleet/api/endpoint.ts';
import {decodeCursor, pageOfRows} from '#ota/fleet/api/page-cursor.ts';
import {boxParametersSchema} from '#ota/fleet/registry/box-endpoints.ts';
import {queryTelemetry} from '#ota/fleet/registry/query-telemetry.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

const cursorSchema = z.tuple([z.number(), z.string(), z.number()]);
const severitySchema = z.enum(severities);

/** What a box has sent: charts and events. */
export const recordEndpoints = ({database}: {readonly database: FleetDatabase}): readonly AnyEndpoint[] => [
	endpoint({
		method: 'GET',
		path: '/boxes/{id}/telemetry',
		operationId: 'readTelemetry',
		tag: 'boxes',
		summary: 'Measured values of a time, in at most so many points: the extremes of equal intervals.',
		role: 'viewer',
		parameters: boxParametersSchema,
		query: telemetryQuerySchema,
		answer: telemetryAnswerSchema,
		handle: async ({parameters: {id}, query: {metrics, ...range}}) => ({
			body: await queryTelemetry(database, {...range, box: id, metrics: metrics?.split(',')}),
		}),
	}),
	endpoint({
		method: 'GET',
		path: '/boxes/{id}/events',
		operationId: 'listBoxEvents',
		tag: 'boxes',
		summary: 'What happened on a box, the newest first.',
		role: 'viewer',
		parameters: boxParametersSchema,
		query: pageQuerySchema,
		answer: boxEventPageSchema,
		handle: async ({parameters: {id}, query: {cursor, limit}}) => {
			const after = decodeCursor(cursor, cursorSchema);
			let events = database.selectFrom('box_event').selectAll().where('box', '=', id);
			if (after !== undefined) {
				events = events.where((where) =>
					where(where.refTuple('at_ms', 'epoch', 'sequence'), '<', where.tuple(...after)),
				);
			}
			const rows = await events
				.orderBy('at_ms', 'desc')
				.orderBy('epoch', 'desc')
				.orderBy('sequence', 'desc')
				.limit(limit + 1)
				.execute();
			return {
				body: pageOfRows(rows, {
					limit,
					toItem: ({sequence, at_ms: atMs, severity, kind, data}) => ({
						sequence,
						atMs,
						severity: severitySchema.parse(severity),
						kind,
						data: z.json().parse(JSON.parse(data)),
					}),
					cursorOf: (row) => [row.at_ms, row.epoch, row.sequence],
				}),
			};
		},
	}),
];
