import test from 'ava';
import {headendStatusSchema} from '#appliance/contract/headend-status-schema.ts';
import type {SignallingList} from '#appliance/contract/signalling-list-schema.ts';
import {headendConfigSchema} from '#headend/config-schema.ts';
import {Transmission} from '#headend/uplink/transmission.ts';
import {eventually} from '#test/helper/eventually.ts';
import {recordingSender} from '#test/helper/recording-sender.ts';
import {withHeadend} from '#test/helper/with-headend.ts';

const smallTransponder = {symbolRateKsps: 1000, modulation: '8PSK', codeRate: '3/4'} as const;

test('a change of MODCOD re-plans and tells receivers, while the headend goes on', async (t) => {
	const sender = recordingSender();
	const {url, reconfigure} = await withHeadend(t, {
		sections: {
			uplink: {rateBps: undefined},
			network: {satellite: smallTransponder},
			carousel: {cycleMs: 1000, signallingIntervalMs: 10_000},
		},
		openSender: sender.open,
	});
	const status = async () => headendStatusSchema.parse(await (await fetch(`${url}/status`)).json());
	const signalling = async () => ((await (await fetch(`${url}/signalling`)).json()) as SignallingList).objects;
	const put = await fetch(`${url}/catalogue/vod/film.bin`, {method: 'PUT', body: new Uint8Array(190_000)});
	t.is(put.headers.get('streamverse-fits'), 'yes');
	const before = await status();
	t.is(before.link?.ipRateBps, before.uplink.rateBps);
	const networkBefore = (await signalling()).find(({uri}) => uri.endsWith(':NetworkInformationFile'));

	t.true(await reconfigure({network: {satellite: {...smallTransponder, modulation: 'QPSK', codeRate: '1/2'}}}));
	await eventually('the film does not fit any more', async () => (await status()).carousel.doesNotFit.length === 1);
	const after = await status();
	t.is(after.link?.modcod, 'QPSK 1/2');
	t.is(sender.rates.at(-1) ?? 0, after.uplink.rateBps);
	t.true(after.uplink.rateBps < before.uplink.rateBps / 2);
	t.not((await signalling()).find(({uri}) => uri.endsWith(':NetworkInformationFile'))?.sha256, networkBefore?.sha256);

	t.true(await reconfigure({network: {satellite: smallTransponder}}));
	await eventually('it fits again', async () => (await status()).carousel.doesNotFit.length === 0);
	t.is((await status()).uplink.rateBps, before.uplink.rateBps);
	t.false(await reconfigure({carousel: {cycleMs: 2000, signallingIntervalMs: 10_000}}), 'that takes a new start');
});

const refuses = test.macro((t, sections: object, code: string) => {
	t.throws(() => new Transmission(headendConfigSchema.parse(sections)), {code});
});
const output = {form: 'mpe', destination: {group: '239.1.1.1', port: 5000}};
test(
	'a rate above what the transponder leaves',
	refuses,
	{uplink: {rateBps: 61_000_000, output}},
	'HEADEND_RATE_TOO_HIGH',
);
test('a form without a transponder', refuses, {uplink: {output}, network: {satellite: null}}, 'HEADEND_UPLINK_FORM');
test(
	'MPE where receivers are told of GSE',
	refuses,
	{uplink: {output}, network: {linkLayerFormat: 'GSE-Lite'}},
	'HEADEND_UPLINK_FORM',
);
test('a MODCOD that there is not', refuses, {network: {satellite: {codeRate: '7/8'}}}, 'HEADEND_MODCOD_UNKNOWN');

test('a refused transponder leaves the one before', (t) => {
	const transmission = new Transmission(headendConfigSchema.parse({}));
	const before = transmission.rateBps;
	t.throws(() => transmission.take(headendConfigSchema.parse({network: {satellite: {codeRate: '7/8'}}})));
	t.is(transmission.rateBps, before);
	t.is(transmission.config.network.satellite?.codeRate, '3/4');
});

test('an order below what fits is told as unused, and the objects have the less', (t) => {
	const full = new Transmission(headendConfigSchema.parse({})).plan.link?.budget;
	const less = new Transmission(headendConfigSchema.parse({uplink: {rateBps: 20_000_000}})).plan.link?.budget;
	const of = (budget: typeof full, name: string) => budget?.layers.find(({layer}) => layer === name)?.bps ?? 0;
	t.is(of(less, 'unused'), (full?.ipRateBps ?? 0) - 20_000_000);
	t.true(Math.abs(of(less, 'objects') / of(full, 'objects') - 20_000_000 / (full?.ipRateBps ?? 1)) < 1e-6);
});
