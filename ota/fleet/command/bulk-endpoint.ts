import {Readable} from 'node:stream';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import {parseFilter} from '#appliance/filter/parse-filter.ts';
import {
	type BulkLine,
	type BulkTarget,
	bulkBoxesMax,
	bulkContentType,
	bulkRequestSchema,
} from '#ota/contract/command-bulk-api.ts';
import {apiError} from '#ota/fleet/api/api-error.ts';
import {type AnyEndpoint, endpoint} from '#ota/fleet/api/endpoint.ts';
import type {WriteAudit} from '#ota/fleet/audit/audit-entry.ts';
import {type BulkWork, doToEach} from '#ota/fleet/command/bulk-work.ts';
import {changeTags} from '#ota/fleet/command/change-tags.ts';
import {checkCommand} from '#ota/fleet/command/check-command.ts';
import type {CommandDesk} from '#ota/fleet/command/command-desk.ts';
import {requireBox} from '#ota/fleet/command/require-box.ts';
import type {FleetContext} from '#ota/fleet/fleet-part.ts';
import {filterToSql} from '#ota/fleet/registry/filter-to-sql.ts';

type BulkContext = Pick<FleetContext, 'store' | 'changes' | 'clock' | 'logger'> & {
	readonly desk: CommandDesk;
	readonly writeAudit: WriteAudit;
};

type BulkErrorCode = 'OTA_BULK_TOO_MANY';

export const bulkEndpoint = (context: BulkContext): AnyEndpoint =>
	endpoint({
		method: 'POST',
		path: '/bulk-actions',
		operationId: 'actOnBoxes',
		tag: 'commands',
		summary: `Do one thing to at most ${bulkBoxesMax} boxes. The answer tells of each as it is done, a JSON object a line.`,
		role: 'operator',
		body: bulkRequestSchema,
		contentType: bulkContentType,
		handle: async ({body: {target, action}, actor, remoteAddress, signal}) => {
			const work: BulkWork =
				action.kind === 'command'
					? commandWork(context, {...action, arguments: checkCommand(action, actor), actor: actor.name})
					: tagWork(context, action);
			const boxes = await boxesOf(context, target);
			const {writeAudit, logger} = context;
			const lines = doToEach({boxes, work, actor, address: remoteAddress, writeAudit, logger, signal});
			return {status: 202, stream: Readable.from(asText(lines), {objectMode: false})};
		},
	});

const commandWork = (
	{store, desk}: BulkContext,
	command: Omit<Parameters<CommandDesk['give']>[0], 'box' | 'arguments'> & {readonly arguments: unknown},
): BulkWork => {
	const {name, arguments: given, timeoutMs, actor} = command;
	return {
		action: 'giveCommand',
		path: (box) => `/boxes/${box}/commands`,
		detail: {name, arguments: given},
		toBox: async (box) => {
			await requireBox(store.database, box);
			return (await desk.give({box, name, arguments: given as never, timeoutMs, actor})).id;
		},
	};
};

const tagWork = (
	{store, changes}: BulkContext,
	{add, remove}: {readonly add: readonly string[]; readonly remove: readonly string[]},
): BulkWork => ({
	action: 'changeBox',
	path: (box) => `/boxes/${box}`,
	detail: {addTags: add, removeTags: remove},
	toBox: async (box) => {
		await changeTags(store.database, box, {add, remove});
		changes.publish({kind: 'boxes', ids: [box]});
		return null;
	},
});

const boxesOf = async ({store, clock}: BulkContext, target: BulkTarget): Promise<readonly DeviceId[]> => {
	if (target.kind === 'ids') {
		return [...new Set(target.ids)];
	}
	const rows = await store.database
		.selectFrom('box')
		.select('id')
		.where(filterToSql(parseFilter(target.filter), {engine: store.engine, nowMs: clock.nowMs()}))
		.where('revoked_ms', 'is', null)
		.orderBy('id')
		.limit(bulkBoxesMax + 1)
		.execute();
	if (rows.length > bulkBoxesMax) {
		throw apiError<BulkErrorCode>('OTA_BULK_TOO_MANY', {
			status: 400,
			message: `More than ${bulkBoxesMax} boxes match: narrow the filter.`,
		});
	}
	return rows.map(({id}) => id as DeviceId);
};

async function* asText(lines: AsyncIterable<BulkLine>): AsyncGenerator<string, void, void> {
	for await (const line of lines) {
		yield `${JSON.stringify(line)}\n`;
	}
}
