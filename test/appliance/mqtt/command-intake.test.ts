import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import type {Reply} from '#appliance/contract/fleet/command-schema.ts';
import type {SignedOrder} from '#appliance/contract/fleet/order-schema.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import type {CommandHandler, ReceivedCommand} from '#appliance/mqtt/fleet-link.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {eventually} from '#test/helper/eventually.ts';
import {createOrderSigner, type OrderChanges, type OrderSigner} from '#test/helper/order-signer.ts';
import {type TestFleetServer, testBox, testFleet, withFleetLink} from '#test/helper/with-fleet-link.ts';
import {withProcess} from '#test/helper/with-process.ts';

const commandOf = (
	signer: OrderSigner,
	jti: string,
	changes: OrderChanges & {readonly name?: string; readonly arguments?: unknown; readonly forMs?: number} = {},
): Promise<SignedOrder> => {
	const {name = 'ping', arguments: given = {}, forMs = 10_000, ...rest} = changes;
	const order = {kind: 'command', name, arguments: given, deadlineMs: Date.now() + forMs};
	return signer.sign(order, {jti, ...rest});
};

const send = (server: TestFleetServer, order: string, name = 'ping'): Promise<void> =>
	server.publish(`command/${name}`, {version: 1, order});

const finals = ({replies}: TestFleetServer, id: string): readonly Reply[] =>
	replies.filter((reply) => reply.id === id && !['accepted', 'progress'].includes(reply.state));

const answered = (server: TestFleetServer, id: string, count = 1): Promise<Reply> =>
	eventually(`an answer to ${id}`, () => (finals(server, id).length >= count ? finals(server, id).at(-1) : undefined));

test('a command is run once, however often it is delivered, and each delivery is answered alike', async (t) => {
	const {startServer, startLink, signer} = await withFleetLink(t);
	const server = await startServer();
	let link = await startLink();
	const ran: ReceivedCommand[] = [];
	const handler: CommandHandler = (command, {progress}) => {
		ran.push(command);
		progress(0.5);
		return Promise.resolve({kind: 'done', result: {count: ran.length}});
	};
	link.handleCommands(handler);
	const order = await commandOf(signer, 'c-1');
	await eventually('connected', () => link.isConnected());
	await send(server, order);
	await answered(server, 'c-1');
	t.deepEqual(
		server.replies.map(({state}) => state),
		['accepted', 'progress', 'done'],
	);
	await send(server, order);
	await answered(server, 'c-1', 2);
	await link[Symbol.asyncDispose]();
	link = await startLink();
	link.handleCommands(handler);
	await send(server, order);
	const reply = await answered(server, 'c-1', 3);
	t.deepEqual(reply.result, {count: 1});
	t.deepEqual(
		ran.map(({id, name, arguments: given}) => ({id, name, given})),
		[{id: 'c-1', name: 'ping', given: {count: 4}}],
	);
});

test('commands that wait in the broker are run when the box is back', async (t) => {
	const {startServer, startLink, signer} = await withFleetLink(t);
	const server = await startServer();
	const before = await startLink();
	await eventually('connected', () => before.isConnected());
	await before[Symbol.asyncDispose]();
	await send(server, await commandOf(signer, 'c-1'));
	const link = await startLink();
	await eventually('connected', () => link.isConnected());
	link.handleCommands(() => Promise.resolve({kind: 'done'}));
	t.is((await answered(server, 'c-1')).state, 'done');
});

test('a command that is no good is refused by its code, and not run', async (t) => {
	const {startServer, startLink, signer} = await withFleetLink(t);
	const server = await startServer();
	const link = await startLink();
	const ran: string[] = [];
	link.handleCommands(({id}) => {
		ran.push(id);
		return Promise.resolve({kind: 'done'});
	});
	await eventually('connected', () => link.isConnected());
	const nowSeconds = Math.floor(Date.now() / 1000);
	const stranger = await createOrderSigner({fleet: testFleet, box: testBox});
	const late = await commandOf(signer, 'late');
	const refusedById = {
		expired: ['MQTT_ORDER_EXPIRED', await commandOf(signer, 'expired', {exp: nowSeconds - 1000})],
		future: ['MQTT_ORDER_NOT_YET', await commandOf(signer, 'future', {iat: nowSeconds + 1000})],
		arguments: ['MQTT_COMMAND_ARGUMENTS', await commandOf(signer, 'arguments', {arguments: {count: 'many'}})],
		topic: ['MQTT_ORDER_MALFORMED', await commandOf(signer, 'topic', {name: 'reboot'})],
	};
	for (const [id, [code, order]] of Object.entries(refusedById)) {
		await send(server, order ?? '');
		t.like(await answered(server, id), {state: 'refused', error: {code}}, id);
	}
	await send(server, late);
	t.like(await answered(server, 'late'), {error: {code: 'MQTT_ORDER_REPLAYED'}}, 'overtaken by those after it');

	const untold = server.replies.length;
	await send(server, await commandOf(stranger, 'stranger'));
	await send(server, await commandOf(signer, 'other', {iss: 'other-fleet'}));
	await send(server, await commandOf(signer, 'elsewhere', {target: {kind: 'box', deviceId: 'stb-0002' as never}}));
	await send(server, 'rubbish');
	const codes = (): readonly unknown[] =>
		server.events.flatMap(({event}) => (event.kind === 'order-refused' ? [event.data.code] : []));
	await eventually('four events', () => codes().length === 4);
	t.deepEqual(codes(), [
		'MQTT_ORDER_SIGNATURE',
		'MQTT_ORDER_WRONG_FLEET',
		'MQTT_ORDER_WRONG_BOX',
		'MQTT_ORDER_MALFORMED',
	]);
	t.is(server.replies.length, untold, 'who is not the fleet gets no answer');
	t.deepEqual(ran, []);
});

test('a handler that fails, hangs, or says too much is answered for', async (t) => {
	const {startServer, startLink, signer} = await withFleetLink(t);
	const server = await startServer();
	const link = await startLink();
	link.handleCommands(async ({id}) => {
		if (id === 'fails') {
			throw new CodedError('APPLIANCE_TEST', {message: 'no'});
		}
		if (id === 'hangs') {
			await sleep(60_000);
		}
		return {kind: 'done', result: 'x'.repeat(300_000)};
	});
	await eventually('connected', () => link.isConnected());
	for (const [id, code] of [
		['fails', 'APPLIANCE_TEST'],
		['hangs', 'MQTT_COMMAND_DEADLINE'],
		['talks', 'MQTT_REPLY_TOO_LARGE'],
	] as const) {
		await send(server, await commandOf(signer, id, {forMs: 500}));
		t.like(await answered(server, id), {state: 'failed', error: {code}});
	}
});

test('a command in whose middle the box died is not run again, and answered as interrupted', async (t) => {
	const {startServer, startLink, signer, directory, identity} = await withFleetLink(t);
	const server = await startServer();
	const file = path.join(directory, 'options.json');
	const {deviceId, claim} = identity;
	const options = {directory, first: 1, intervalMs: 500, identity: {deviceId, claim}};
	await writeFile(file, JSON.stringify({...options, credentials: identity.credentials()}));
	const box = withProcess(t, {script: 'test/fake/fleet-link-process.ts', args: [file]});
	await eventually('online', () => server.heard.some(({topic}) => topic === 'presence'));
	await send(server, await commandOf(signer, 'c-1', {forMs: 60_000}));
	await eventually('it runs', () => box.output().includes('command ping'));
	box.kill('SIGKILL');
	await box.ended;
	const link = await startLink({logger: silentLogger()});
	link.handleCommands(() => t.fail('run again') as never);
	t.like(await answered(server, 'c-1'), {state: 'failed', error: {code: 'MQTT_COMMAND_INTERRUPTED'}});
});
