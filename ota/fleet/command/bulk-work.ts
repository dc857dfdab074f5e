import type {DeviceId} from '#appliance/contract/box-schema.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {BulkLine} from '#ota/contract/command-bulk-api.ts';
import {auditDetailOf} from '#ota/fleet/api/audit-detail.ts';
import {problemOf} from '#ota/fleet/api/create-api.ts';
import type {Actor} from '#ota/fleet/api/endpoint.ts';
import type {AuditEntry, WriteAudit} from '#ota/fleet/audit/audit-entry.ts';

/** One thing that is done to many boxes, named in the audit log as the operation that does it to one. */
export type BulkWork = {
	readonly action: string;
	readonly path: (box: DeviceId) => string;
	readonly detail: unknown;
	/** Answers the id of the command that it gave, if it gave one. */
	readonly toBox: (box: DeviceId) => Promise<string | null>;
};

export type BulkRun = {
	readonly boxes: readonly DeviceId[];
	readonly work: BulkWork;
	readonly actor: Actor;
	readonly address: string;
	readonly writeAudit: WriteAudit;
	readonly logger: Logger;
	/** Between two boxes: what is left is not begun. */
	readonly signal: AbortSignal;
};

/**
 * One box after another, as fast as the answer is read: who leaves stops it. A box that refuses or fails stops nobody else.
 * That it begins is written down before each, so that a server that ends half-way leaves no act that nobody knows of.
 */
export async function* doToEach(run: BulkRun): AsyncGenerator<BulkLine, void, void> {
	const counts = {doneCount: 0, refusedCount: 0};
	yield {kind: 'begin', boxes: run.boxes.length};
	for (const box of run.boxes) {
		if (run.signal.aborted) {
			return;
		}
		const line = await doToOne(run, box);
		counts[line.kind === 'done' ? 'doneCount' : 'refusedCount'] += 1;
		yield line;
	}
	yield {kind: 'end', ...counts};
}

const doToOne = async (
	run: BulkRun,
	box: DeviceId,
): Promise<Extract<BulkLine, {readonly kind: 'done' | 'refused'}>> => {
	const intent = await writeRow(run, box, {outcome: 'begun', status: 0});
	try {
		const command = await run.work.toBox(box);
		await writeRow(run, box, {outcome: 'done', status: 202, intent});
		return {kind: 'done', box, command};
	} catch (error) {
		const {status, code, title} = problemOf(error);
		if (status >= 500) {
			run.logger.error({err: error, box}, 'a bulk action failed at a box');
		}
		await writeRow(run, box, {outcome: status < 500 ? 'refused' : 'failed', status, code, intent});
		return {kind: 'refused', box, code, message: title};
	}
};

const writeRow = (
	{work, actor, address, writeAudit}: BulkRun,
	box: DeviceId,
	result: Pick<AuditEntry, 'outcome' | 'status'> & {readonly code?: string; readonly intent?: number},
): Promise<number> =>
	writeAudit({
		actorId: actor.id,
		actorName: actor.name,
		actorRole: actor.role,
		action: work.action,
		method: 'POST',
		path: work.path(box),
		box,
		address,
		detail: auditDetailOf(work.detail),
		code: null,
		...result,
	});
