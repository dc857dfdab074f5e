import {randomUUID} from 'node:crypto';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import {commandArguments, commandNameSchema, commandSchema} from '#appliance/contract/fleet/command-schema.ts';
import {boxTopic, commandTopic} from '#appliance/contract/fleet/topic.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {CommandDesk} from '#ota/fleet/command/command-desk.ts';
import {
	type CommandRow,
	commandView,
	expireCommands,
	insertCommand,
	writeReply,
} from '#ota/fleet/command/command-repository.ts';
import type {FleetContext, FleetPart} from '#ota/fleet/fleet-part.ts';
import type {OrderDesk} from '#ota/fleet/order/order-desk.ts';
import type {FleetBroker} from '#ota/fleet/server/fleet-broker.ts';
import type {Leases} from '#ota/fleet/server/leases.ts';

/** A command without an answer is sent again after so long: the box knows its id and does it once. */
const resendAfterMs = 5000;
const tickMs = 500;
const resendMax = 500;

type CommandContext = FleetContext & {
	readonly broker: FleetBroker;
	readonly orderDesk: OrderDesk;
	readonly leases: Leases;
};

export const createCommandDesk = (
	context: CommandContext,
): CommandDesk & Pick<FleetPart, 'writeIngest' | 'afterIngest' | 'start'> => ({
	give: async ({box, name, arguments: given, timeoutMs, actor, id = randomUUID()}) => {
		const nowMs = context.clock.nowMs();
		const row = await insertCommand(context.store.database, {
			id,
			box,
			name,
			arguments: commandArguments[name].parse(given),
			actor,
			createdMs: nowMs,
			deadlineMs: nowMs + timeoutMs,
			nextSendMs: nowMs + resendAfterMs,
		});
		context.changes.publish({kind: 'commands', ids: [id]});
		// Recorded is what counts: a broker that cannot be reached now takes it when it is sent again.
		await sendCommand(context, row).catch((error: unknown) =>
			context.logger.warn({err: error, command: id}, 'a command was not sent at once'),
		);
		return commandView(row);
	},
	writeIngest: async (transaction, {replies}) => {
		for (const {box, reply} of replies) {
			await writeReply(transaction, box, reply, context.clock.nowMs());
		}
	},
	afterIngest: ({replies}) => {
		if (replies.length > 0) {
			context.changes.publish({kind: 'commands', ids: replies.slice(0, 100).map(({reply}) => reply.id)});
		}
	},
	start: () => {
		const stop = new AbortController();
		const signal = AbortSignal.any([context.signal, stop.signal]);
		const running = context.leases.withLease('commands', (held) => tendCommands(context, held.signal), {signal});
		return Promise.resolve({
			[Symbol.asyncDispose]: async () => {
				stop.abort();
				await running;
			},
		});
	},
});

/** Signed anew each time, with the same id: a box refuses a revision that it has seen. */
const sendCommand = async (context: CommandContext, row: CommandRow): Promise<void> => {
	const box = row.box as DeviceId;
	const name = commandNameSchema.parse(row.name);
	const order = await context.orderDesk.signCommand({
		id: row.id,
		box,
		name,
		arguments: JSON.parse(row.arguments),
		deadlineMs: row.deadline_ms,
	});
	await context.broker.publish(commandTopic(box, name), JSON.stringify(commandSchema.parse({version: 1, order})), {
		expirySeconds: Math.max(1, Math.ceil((row.deadline_ms - context.clock.nowMs()) / 1000)),
		responseTopic: boxTopic(box, 'reply'),
		correlationData: row.id,
	});
};

/** Sends again what has no answer, and ends what will have none. */
const tendCommands = async (context: CommandContext, signal: AbortSignal): Promise<void> => {
	const {database} = context.store;
	while (!signal.aborted) {
		const nowMs = context.clock.nowMs();
		const expired = await expireCommands(database, nowMs);
		if (expired.length > 0) {
			context.changes.publish({kind: 'commands', ids: expired.slice(0, 100)});
		}
		const due = await database
			.selectFrom('command')
			.selectAll()
			.where('next_send_ms', '<=', nowMs)
			.orderBy('next_send_ms')
			.limit(resendMax)
			.execute();
		for (const row of due) {
			await sendCommand(context, row);
			const sentCount = row.sent_count + 1;
			await database
				.updateTable('command')
				.set({sent_count: sentCount, next_send_ms: nowMs + resendAfterMs * Math.min(sentCount + 1, 12)})
				.where('id', '=', row.id)
				.where('next_send_ms', 'is not', null)
				.execute();
		}
		await sleep(tickMs, {signal}).catch(() => undefined);
	}
};
