import {mkdir, symlink, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {type ElevationOptions, serveElevation} from '#appliance/diagnostics/elevate/serve-elevation.ts';
import {systemClock} from '#appliance/time/clock.ts';
import {createOrderSigner, type OrderChanges, type OrderSigner} from '#test/helper/order-signer.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const fleet = 'fleet';
const box = 'stb-0001';
const own = process.getuid?.() ?? 0;
const terminal = 7;

/** A box with an anchor, and a terminal that belongs to whoever runs this test. */
const withBox = async (t: ExecutionContext) => {
	const root = await withDirectory(t);
	const signer = await createOrderSigner({fleet, box});
	const anchorPath = path.join(root, 'anchor.json');
	const terminalDirectory = path.join(root, 'pts');
	const directory = path.join(root, 'elevate');
	await mkdir(terminalDirectory);
	await mkdir(directory);
	await symlink('/dev/null', path.join(terminalDirectory, `${terminal}`));
	await writeFile(path.join(terminalDirectory, '8'), '');
	const anchor = {version: 1, fleet, orderKey: signer.key, deviceId: box};
	await writeFile(anchorPath, JSON.stringify(anchor));
	const opened: number[] = [];
	const ask = async (request: unknown, changes: Partial<ElevationOptions> = {}): Promise<string> => {
		const answer = await serveElevation(JSON.stringify(request), {
			...{peerUserId: own, supervisorUserId: own, anchorPath, directory, terminalDirectory, clock: systemClock},
			openShell: (on) => {
				opened.push(on);
				return Promise.resolve();
			},
			...changes,
		});
		return answer.kind === 'opened' ? 'opened' : `${answer.reason.code}: ${answer.reason.message}`;
	};
	return {signer, ask, opened, anchorPath};
};

const stream = {kind: 'terminal', columns: 80, rows: 24, elevated: true, idleTimeoutMs: 60_000, totalTimeoutMs: 60_000};
const orderOf = (
	signer: OrderSigner,
	changes: OrderChanges & {readonly stream?: unknown; readonly name?: string; readonly deadlineMs?: number} = {},
) => {
	const {stream: asked = stream, name = 'open-stream', deadlineMs = Date.now() + 10_000, ...rest} = changes;
	const given = {streamId: 'stream-0001', stream: asked};
	return signer.sign({kind: 'command', name, arguments: name === 'open-stream' ? given : {}, deadlineMs}, rest);
};

/** Only root owns a device node that a test can name. */
const asRoot = own === 0 ? test : test.skip;

asRoot('the fleet’s order for a root shell on this box opens one, once', async (t) => {
	const {signer, ask, opened} = await withBox(t);
	const order = await orderOf(signer);
	t.is(await ask({order, keyChain: [], terminal}), 'opened');
	t.deepEqual(opened, [terminal]);
	t.regex(await ask({order, keyChain: [], terminal}), /^MQTT_ORDER_REPLAYED/u);
	const earlier = await orderOf(signer, {revision: 5});
	t.regex(await ask({order: earlier, keyChain: [], terminal}), /^MQTT_ORDER_REPLAYED/u);
	t.is(await ask({order: await orderOf(signer), keyChain: [], terminal}), 'opened');
	t.is(opened.length, 2);
});

asRoot('of two that ask with one order at once one is let in', async (t) => {
	const {signer, ask, opened} = await withBox(t);
	const request = {order: await orderOf(signer), keyChain: [], terminal};
	const answers = await Promise.all([ask(request), ask(request)]);
	t.is(answers.filter((answer) => answer === 'opened').length, 1);
	t.is(opened.length, 1);
});

const refused = test.macro(async (t, changes: Parameters<typeof orderOf>[1], reason: RegExp) => {
	const {signer, ask, opened} = await withBox(t);
	t.regex(await ask({order: await orderOf(signer, changes), keyChain: [], terminal}), reason);
	t.deepEqual(opened, []);
});

const nothing = /is for no elevated terminal on one box/u;
asRoot('refused: a terminal that is not elevated', refused, {stream: {...stream, elevated: false}}, nothing);
asRoot('refused: a log', refused, {stream: {kind: 'log'}}, nothing);
asRoot('refused: another command', refused, {name: 'identify'}, nothing);
asRoot(
	'refused: an order for another box',
	refused,
	{target: {kind: 'box', deviceId: 'stb-0002'} as never},
	/WRONG_BOX/u,
);
asRoot(
	'refused: an order for every box',
	refused,
	{target: {kind: 'share', filter: '', salt: 'all', from: 0, to: 1}},
	nothing,
);
asRoot('refused: an order of another fleet', refused, {iss: 'other'}, /WRONG_FLEET/u);
asRoot('refused: an order that has expired', refused, {exp: 1_000_000_000}, /EXPIRED/u);
asRoot('refused: an order that nobody waits for', refused, {deadlineMs: Date.now() - 3_600_000}, /no longer waits/u);

asRoot('refused: whoever is not the supervisor, or whose terminal it is not', async (t) => {
	const {signer, ask, opened} = await withBox(t);
	const order = await orderOf(signer);
	const request = {order, keyChain: [], terminal};
	t.regex(await ask(request, {peerUserId: own + 1}), /Only the supervisor/u);
	t.regex(await ask(request, {peerUserId: Number.NaN, supervisorUserId: Number.NaN}), /Only the supervisor/u);
	t.regex(await ask({...request, more: 1}), /Only the supervisor/u);
	t.regex(await ask({...request, terminal: '../../null'}), /Only the supervisor/u);
	t.regex(await ask({...request, terminal: 8}), /terminal is not the supervisor’s/u);
	t.regex(await ask({...request, terminal: 9}), /terminal is not the supervisor’s/u);
	t.deepEqual(opened, []);
	t.is(await ask(request), 'opened', 'and none of that spent the order');
});

asRoot(
	'a key of the supervisor’s own opens nothing, whatever chain it brings; the fleet’s next key does',
	async (t) => {
		const {signer, ask, opened} = await withBox(t);
		const stranger = await createOrderSigner({fleet, box});
		const order = await orderOf(stranger);
		t.regex(await ask({order, keyChain: [], terminal}), /^MQTT_ORDER_SIGNATURE/u);
		t.regex(await ask({order, keyChain: [await stranger.rotateTo(stranger)], terminal}), /^MQTT_ORDER_SIGNATURE/u);
		const next = await createOrderSigner({fleet, box});
		const keyChain = [await signer.rotateTo(next)];
		t.is(await ask({order: await orderOf(next), keyChain, terminal}), 'opened');
		t.regex(await ask({order: await orderOf(signer), keyChain, terminal}), /^MQTT_ORDER_SIGNATURE/u, 'the old key');
		t.is(opened.length, 1);
	},
);

asRoot('without an anchor nobody is let in, and another anchor begins anew', async (t) => {
	const {signer, ask, anchorPath} = await withBox(t);
	const request = {order: await orderOf(signer), keyChain: [], terminal};
	t.regex(await ask(request, {anchorPath: `${anchorPath}.none`}), /no anchor/u);
	const other = await createOrderSigner({fleet: 'second', box});
	await writeFile(anchorPath, JSON.stringify({version: 1, fleet: 'second', orderKey: other.key, deviceId: box}));
	t.regex(await ask(request), /^MQTT_ORDER_SIGNATURE/u);
	t.is(await ask({order: await orderOf(other, {revision: 1}), keyChain: [], terminal}), 'opened');
});

asRoot('a shell that cannot be started is told', async (t) => {
	const {signer, ask} = await withBox(t);
	const request = {order: await orderOf(signer), keyChain: [], terminal};
	const openShell = () => Promise.reject(new Error('the unit is masked'));
	t.regex(await ask(request, {openShell}), /the unit is masked/u);
});
