import test, {type ExecutionContext} from 'ava';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import type {Reply} from '#appliance/contract/fleet/command-schema.ts';
import {commandView} from '#ota/fleet/command/command-repository.ts';
import {createCommandDesk} from '#ota/fleet/command/create-command-desk.ts';
import type {IngestBatch} from '#ota/fleet/fleet-part.ts';
import type {OrderDesk} from '#ota/fleet/order/order-desk.ts';
import type {PublishOptions} from '#ota/fleet/server/fleet-broker.ts';
import type {DatabaseEngine} from '#ota/fleet/store/open-fleet-database.ts';
import {eventually} from '#test/helper/eventually.ts';
import {enrolBoxes} from '#test/helper/sample-box.ts';
import {withFleetContext} from '#test/helper/with-fleet-context.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';

const box = 'box-1' as DeviceId;

const prepare = async (t: ExecutionContext, engine: DatabaseEngine = 'sqlite') => {
	const context = await withFleetContext(t, engine);
	const {database} = context.store;
	await enrolBoxes(database, ['box-1', 'box-2']);
	const sent: {topic: string; options: PublishOptions | undefined}[] = [];
	let signedCount = 0;
	const orderDesk = {
		signCommand: () => {
			signedCount += 1;
			return Promise.resolve(`a.${signedCount}.c`);
		},
	} as unknown as OrderDesk;
	const desk = createCommandDesk({
		...context,
		orderDesk,
		broker: {
			isConnected: () => true,
			publish: (topic, _payload, options) => {
				sent.push({topic, options});
				return Promise.resolve();
			},
			subscribe: () => Promise.reject(new Error('not here')),
			onConnected: () => () => undefined,
			[Symbol.asyncDispose]: () => Promise.resolve(),
		},
		leases: {withLease: (_name, work, options) => work(options)},
	});
	const running = await desk.start?.();
	t.teardown(() => running?.[Symbol.asyncDispose]());
	const read = async (id: string) =>
		commandView(await database.selectFrom('command').selectAll().where('id', '=', id).executeTakeFirstOrThrow());
	const answer = async (from: DeviceId, reply: Partial<Reply> & Pick<Reply, 'id' | 'state'>) => {
		const batch: IngestBatch = {
			...{presence: [], reported: [], telemetry: [], events: []},
			replies: [{box: from, reply: {version: 1, atMs: 0, ...reply}}],
		};
		await database.transaction().execute(async (transaction) => desk.writeIngest?.(transaction, batch));
	};
	const give = () => desk.give({box, name: 'ping', arguments: {count: 2}, timeoutMs: 60_000, actor: 'ann'});
	return {context, sent, give, read, answer, signedCount: () => signedCount};
};

for (const engine of databaseEngines) {
	test(`${engine}: a command is sent, and answered once`, async (t) => {
		const {sent, give, read, answer} = await prepare(t, engine);
		const {id, state} = await give();
		t.is(state, 'waiting');
		t.like(sent[0], {
			topic: 'sv/1/box-1/command/ping',
			options: {expirySeconds: 60, responseTopic: 'sv/1/box-1/reply', correlationData: id},
		});
		await answer('box-2' as DeviceId, {id, state: 'done', result: 'not mine'});
		t.is((await read(id)).state, 'waiting');
		await answer(box, {id, state: 'progress', progress: 0.5});
		t.like(await read(id), {state: 'progress', progress: 0.5, finishedMs: null});
		await answer(box, {id, state: 'done', result: {lossPercent: 0}});
		await answer(box, {id, state: 'failed', error: {code: 'LATE', message: ''}});
		t.like(await read(id), {state: 'done', result: {lossPercent: 0}, error: null});
	});

	test(`${engine}: a command without an answer is signed and sent again, until its deadline`, async (t) => {
		const {context, sent, give, read, signedCount} = await prepare(t, engine);
		const {id} = await give();
		context.advance(6000);
		await eventually('it was sent again', () => sent.length === 2);
		t.is(signedCount(), 2);
		t.is(sent[1]?.options?.correlationData, id);
		context.advance(60_000);
		await eventually('it is over', async () => (await read(id)).state === 'expired');
		t.is((await read(id)).error?.code, 'OTA_COMMAND_EXPIRED');
		context.advance(60_000);
		t.is(sent.length, 2);
	});
}
