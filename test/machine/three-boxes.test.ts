import test, {type ExecutionContext} from 'ava';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import {type StbStatus, stbStatusSchema} from '#appliance/contract/stb-status-schema.ts';
import {headendConfigSchema} from '#headend/config-schema.ts';
import {type PopNodeStatus, popNodeStatusSchema} from '#pop-node/repair/status.ts';
import {eventually} from '#test/helper/eventually.ts';
import {nameQuestion, tellsAddress} from '#test/helper/multicast-name.ts';
import type {TestFleet} from '#test/helper/with-fleet.ts';
import {testImage} from '#test/helper/with-image.ts';
import {type LossyCable, withLossyCable} from '#test/helper/with-lossy-cable.ts';
import {bootTimeoutMs, type TestMachine, withMachine, withMachineFleet} from '#test/helper/with-machine.ts';
import {withPlayer} from '#test/helper/with-player.ts';
import {type SampleTitle, withSampleTitle} from '#test/helper/with-sample-title.ts';

const testTimeoutMs = 60 * 60_000;
/** Those that run already take their share of the host. */
const healthTimeoutMs = 2 * bootTimeoutMs;
const patience = {timeoutMs: 10 * 60_000, intervalMs: 500};
const answerTimeoutMs = 20_000;
/** Where a headend sends its objects unless its file says otherwise. */
const contentGroup = headendConfigSchema.parse({}).uplink.group;
const titleMs = 16_000;
/** The last frame of a title is shown a little before its nominal end. */
const endToleranceMs = 600;
/** Longer runs than the headend's Reed-Solomon code heals, so that there are holes. */
const loss = {seed: 11, lossRatio: 0.1, burstPacketsMean: 8};
/** Two emulated cores receive it beside two other machines. */
const uplinkRateBps = 3_000_000;
const addressOf: Readonly<Record<BoxKind, string>> = {headend: '192.0.2.1', 'pop-node': '192.0.2.2', stb: '192.0.2.3'};

/** What an operator writes into the seed of each box. */
const sections: Readonly<Record<BoxKind, Readonly<Record<string, unknown>>>> = {
	headend: {
		uplink: {interfaceAddress: addressOf.headend, rateBps: uplinkRateBps},
		// So small a catalogue would be round, and its holes filled, before anybody asks a pop-node.
		carousel: {minimumGapMs: 60_000},
		repair: {baseUrls: [{url: `http://${addressOf['pop-node']}/streamverse/`}]},
	},
	'pop-node': {headendUrl: `http://${addressOf.headend}/`},
	stb: {receive: {interfaceAddress: addressOf.stb}},
};

/** One box of the three, with a card on the cable, once it is online and healthy. */
const withBox = async (
	t: ExecutionContext,
	{fleet, kind, port}: {readonly fleet: TestFleet; readonly kind: BoxKind; readonly port: number},
): Promise<TestMachine> => {
	const hardwareAddress = `52:54:00:00:01:0${addressOf[kind].at(-1)}`;
	const machine = await withMachine(t, {
		...{fleet, id: `${kind}-of-three`, image: await testImage({kind, release: '1.0.0'})},
		cable: {port, hardwareAddress},
		seed: {
			network: [{hardwareAddress, addresses: [`${addressOf[kind]}/24`], nameServers: [], timeServers: []}],
			config: {[kind]: sections[kind]},
		},
	});
	await machine.until(`the ${kind} is online and healthy`, isHealthy, {timeoutMs: healthTimeoutMs});
	return machine;
};

const isHealthy = ({presence, reported}: Awaited<ReturnType<TestMachine['box']>>): boolean =>
	presence === 'online' && reported?.healthy === true;

const ask = async (url: string): Promise<unknown> =>
	await (await fetch(url, {signal: AbortSignal.timeout(answerTimeoutMs)})).json();

/** As a telephone of the home finds the box's page, without an address. */
const findByName = async (cable: LossyCable, machine: TestMachine, address: string): Promise<void> => {
	const name = `${machine.id}.local`;
	let found = false;
	using _heard = cable.listen((frame) => {
		found ||= tellsAddress(frame, {name, address});
	});
	await eventually(
		`${name} is found`,
		() => {
			cable.send(nameQuestion(name, {address: '192.0.2.99', hardwareAddress: '52:54:00:00:01:99'}));
			return found;
		},
		{...patience, intervalMs: 2000},
	);
};

/** Waits until every file of the title lies whole in the set-top, and compares what it serves with what was encoded. */
const receiveTitle = async (t: ExecutionContext, stb: TestMachine, title: SampleTitle): Promise<void> => {
	for (const name of [...title.manifests, ...title.segments]) {
		const uri = `http://dvb.gw/streamverse/vod/sample/${name}`;
		await eventually(
			`${name} lies in the set-top’s cache`,
			async () => {
				const {objects} = (await ask(`${stb.url}box/cache?limit=1&after=${encodeURIComponent(uri.slice(0, -1))}`)) as {
					readonly objects: readonly {readonly uri: string}[];
				};
				return objects.some((object) => object.uri === uri);
			},
			patience,
		);
		const served = await fetch(`${stb.url}streamverse/vod/sample/${name}`, {
			signal: AbortSignal.timeout(answerTimeoutMs),
		});
		t.deepEqual(Buffer.from(await served.arrayBuffer()), await title.read(name), name);
	}
};

test('a headend sends, a set-top hears most of it and has the rest from a pop-node, and a player plays', async (t) => {
	t.timeout(testTimeoutMs);
	const title = await withSampleTitle(t, titleMs);
	const fleet = await withMachineFleet(t);
	const cable = await withLossyCable(t, loss);
	const [ground, home] = cable.ports;
	// One after the other: three that boot at once keep each other from what their watchdogs wait for.
	const headend = await withBox(t, {fleet, kind: 'headend', port: ground});
	const popNode = await withBox(t, {fleet, kind: 'pop-node', port: ground});
	const stb = await withBox(t, {fleet, kind: 'stb', port: home});
	const readStb = async (): Promise<StbStatus> => stbStatusSchema.parse(await ask(`${stb.url}box/status`));
	const readPop = async (): Promise<PopNodeStatus> => popNodeStatusSchema.parse(await ask(`${popNode.url}status`));

	await eventually(
		'the set-top is tuned to the content',
		async () => (await readStb()).tuned.sessions.some(({group}) => group === contentGroup),
		patience,
	);
	await eventually(
		'the pop-node follows the headend',
		async () => (await readPop()).follow.kind === 'following',
		patience,
	);
	await findByName(cable, stb, addressOf.stb);
	await title.put(headend.url.replace(/\/$/u, ''), [...title.segments, ...title.manifests]);
	await receiveTitle(t, stb, title);

	const heard = await readStb();
	const {requests} = await readPop();
	t.log(`the cable lost ${cable.count().lost} of ${cable.count().lost + cable.count().carried} packets`);
	t.log(
		`FEC healed ${heard.receive.fecRecoveredBytes} bytes, repair ${heard.repair.bytes} in ${heard.repair.requests} requests`,
	);
	t.true(cable.count().lost > 0);
	t.true(heard.receive.packets > 0 && heard.objects.repaired > 0);
	t.true(heard.repair.bytes > 0 && requests.bytes >= heard.repair.bytes, `the pop-node sent ${requests.bytes} bytes`);
	t.is(heard.objects.failed, 0);

	const player = await withPlayer(t, stb.url.replace(/\/$/u, ''), title.id);
	const ended = await player.until('it plays to its end', ({state, currentTimeMs}) => {
		return state === 'ended' || currentTimeMs >= title.durationMs - endToleranceMs;
	});
	t.log(`startup ${ended.startupMs} ms, ${ended.framesDecoded} frames, ${ended.stalls} stalls`);
	t.true(ended.framesDecoded > 150, `${ended.framesDecoded} frames`);
	t.is((await readStb()).terrestrial.bytes, heard.terrestrial.bytes, 'from what the set-top holds');
	for (const machine of [headend, popNode, stb]) {
		await machine.until(`${machine.id} is healthy to the end`, isHealthy, {timeoutMs: healthTimeoutMs});
	}
});
