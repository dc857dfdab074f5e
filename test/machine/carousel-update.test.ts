import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {stat} from 'node:fs/promises';
import {pipeline} from 'node:stream/promises';
import test, {type ExecutionContext} from 'ava';
import {stbStatusSchema} from '#appliance/contract/stb-status-schema.ts';
import {pushFile} from '#cli/catalogue/push-file.ts';
import {openPacketReceiver} from '#native/packet/packet.ts';
import {eventually} from '#test/helper/eventually.ts';
import {faultImage} from '#test/helper/fault-image.ts';
import {publishImage, rolloutTo} from '#test/helper/machine-update.ts';
import {udpFrame} from '#test/helper/udp-frame.ts';
import {withApprover} from '#test/helper/with-approver.ts';
import {type TestHeadend, withHeadend} from '#test/helper/with-headend.ts';
import {testImage} from '#test/helper/with-image.ts';
import {type LossyCable, withLossyCable} from '#test/helper/with-lossy-cable.ts';
import {bootTimeoutMs, withMachine, withMachineFleet} from '#test/helper/with-machine.ts';

const testTimeoutMs = 60 * 60_000;
const updateTimeoutMs = 8 * bootTimeoutMs;
const patience = {timeoutMs: bootTimeoutMs, intervalMs: 500};
const answerTimeoutMs = 20_000;
const id = 'stb-carousel';
const objectBaseUri = 'http://dvb.gw/streamverse/';
const address = '192.0.2.3';
const hardwareAddress = '52:54:00:00:01:03';
const dish = {address: '192.0.2.1', hardwareAddress: '52:54:00:00:01:01'};
/** One emulated core takes it beside what else a box does. */
const uplinkRateBps = 10_000_000;

/** What a headend of this host sends to its groups comes out of the machine's second card, as a dish would bring it. */
const shine = (t: ExecutionContext, {config}: TestHeadend, cable: LossyCable): void => {
	const {group, port, announcement} = config.uplink;
	for (const place of [{group, port}, announcement]) {
		const receiver = openPacketReceiver({
			onBatch: ({bytes, lengths}) => {
				let offset = 0;
				for (const length of lengths) {
					cable.send(udpFrame({source: dish, ...place, payload: bytes.subarray(offset, offset + length)}));
					offset += length;
				}
			},
		});
		t.teardown(() => receiver.close());
		receiver.join({...place, interfaceAddress: '127.0.0.1'});
	}
};

/** Puts a bundle into the catalogue, where set-tops look for it by its digest. */
const upload = async ({url}: TestHeadend, filePath: string): Promise<void> => {
	const hash = createHash('sha256');
	await pipeline(createReadStream(filePath), hash);
	const headers = {'Content-Type': 'application/octet-stream'};
	const signal = AbortSignal.timeout(bootTimeoutMs);
	await pushFile({
		filePath,
		url: new URL(`catalogue/release/${hash.digest('hex')}`, url).href,
		headers,
		signal,
		onProgress: () => undefined,
	});
};

test('a set-top has its update from the satellite, and fetches not a byte of it otherwise', async (t) => {
	t.timeout(testTimeoutMs);
	const [factory, next] = [await testImage({release: '1.0.0'}), await faultImage('1.0.1')];
	const headend = await withHeadend(t, {sections: {uplink: {rateBps: uplinkRateBps}}});
	const fleet = await withMachineFleet(t, {carousel: {objectBaseUri, headendUrls: [headend.url.replace(/\/$/u, '')]}});
	const cable = await withLossyCable(t, {seed: 3});
	shine(t, headend, cable);
	const {announcement} = headend.config.uplink;
	const machine = await withMachine(t, {
		...{fleet, image: factory, id},
		cable: {port: cable.ports[1], hardwareAddress},
		seed: {
			network: [{hardwareAddress, addresses: [`${address}/24`], nameServers: [], timeServers: []}],
			config: {stb: {receive: {announcement, interfaceAddress: address}}},
		},
	});
	await machine.until('it is healthy', ({presence, reported}) => presence === 'online' && reported?.healthy === true);
	const tuned = async () => {
		const answer = await fetch(`${machine.url}box/status`, {signal: AbortSignal.timeout(answerTimeoutMs)});
		const {sessions} = stbStatusSchema.parse(await answer.json()).tuned;
		return sessions.some(({group}) => group === headend.config.uplink.group);
	};
	await eventually('the set-top is tuned to the content', tuned, patience);

	await upload(headend, next.bundlePath);
	await publishImage(t, {fleet, image: next});
	const desk = await withApprover(fleet);
	const sources = {carouselWaitMs: updateTimeoutMs, blocks: false, https: false};
	const order = rolloutTo(next.release, id);
	const deadlines = {...order.deadlines, fetchMs: updateTimeoutMs};
	const {id: rollout} = await desk.make({...order, sources, deadlines});
	const startedMs = performance.now();
	await desk.approveAndStart(rollout);
	const {boxes} = await desk.until(
		'the box is updated, or is not',
		rollout,
		(_, [box]) => box?.state === 'done' || box?.state === 'failed',
		{timeoutMs: 2 * updateTimeoutMs},
	);
	t.log(`ended after ${((performance.now() - startedMs) / 1000).toFixed(0)} s: ${JSON.stringify(boxes[0])}`);
	t.like(boxes[0], {state: 'done', phase: 'confirmed', reason: null}, machine.lines().slice(-40).join('\n'));
	const {size} = await stat(next.bundlePath);
	t.is(boxes[0]?.bytes.unicast, 0);
	t.is(boxes[0]?.bytes.carousel, size);
	await machine.until('it tells what runs', ({release}) => release === next.release);
});
