import test from 'ava';
import {findModcod, type ModcodChoice} from '#headend/uplink/find-modcod.ts';
import {linkBudget} from '#headend/uplink/link-budget.ts';
import {listModcods} from '#native/modem/modem.ts';

const seed: ModcodChoice = {modulation: '8PSK', codeRate: '3/4', frame: 'normal', pilots: false};
const common = {
	symbolRateSps: 27_500_000,
	rollOff: 0.2,
	encapsulation: 'mpe',
	symbolBytes: 1400,
	repairRatio: 0.05,
	signallingBps: 100_000,
} as const;

/** As EN 302 307-1 prints them: table 13, normal frames without pilots. */
const published: readonly (readonly [ModcodChoice['modulation'], string, number])[] = [
	['QPSK', '1/4', 0.490_243],
	['QPSK', '1/2', 0.988_858],
	['QPSK', '3/4', 1.487_473],
	['QPSK', '9/10', 1.788_612],
	['8PSK', '3/5', 1.779_991],
	['8PSK', '3/4', 2.228_124],
	['8PSK', '5/6', 2.478_562],
	['8PSK', '9/10', 2.679_207],
	['16APSK', '2/3', 2.637_201],
	['16APSK', '3/4', 2.966_728],
	['16APSK', '9/10', 3.567_342],
	['32APSK', '3/4', 3.703_295],
	['32APSK', '9/10', 4.453_027],
];
for (const [modulation, codeRate, efficiency] of published) {
	test(`the efficiency of ${modulation} ${codeRate} is the one that the standard prints`, (t) => {
		const modcod = findModcod({...seed, modulation, codeRate});
		t.is(linkBudget({...common, modcod}).efficiency.toFixed(6), efficiency.toFixed(6));
	});
}

test('the first transponder carries 61.3 Mbit/s, of which 59 are left for IP', (t) => {
	const budget = linkBudget({...common, modcod: findModcod(seed)});
	t.is((budget.bitRateBps / 1e6).toFixed(1), '61.3');
	t.is(Math.round(budget.bandwidthHz), 33_000_000);
	t.true(budget.ipRateBps > 58_800_000 && budget.ipRateBps < 59_300_000, `${budget.ipRateBps}`);
});

test('the published rate of 30 Msym/s with 8PSK 5/6 is met as well', (t) => {
	const modcod = findModcod({...seed, codeRate: '5/6'});
	t.is((linkBudget({...common, modcod, symbolRateSps: 30_000_000}).bitRateBps / 1e6).toFixed(1), '74.4');
});

test('pilots cost what 36 symbols of each 16 slots take', (t) => {
	const modcod = findModcod({...seed, pilots: true});
	const {layers, efficiency} = linkBudget({...common, modcod});
	t.is(efficiency.toFixed(5), '2.17753');
	const pilots = layers.find(({layer}) => layer === 'pilots')?.bps ?? 0;
	t.is((pilots / (27_500_000 * 3)).toFixed(5), ((14 * 36) / 22_194).toFixed(5));
});

for (const encapsulation of ['mpe', 'gse'] as const) {
	test(`the layers of every MODCOD with ${encapsulation} add up to its symbols’ bits`, (t) => {
		const wrong = listModcods().filter((modcod) => {
			const {layers} = linkBudget({...common, modcod, encapsulation});
			const total = layers.reduce((sum, {bps}) => sum + bps, 0);
			return layers.some(({bps}) => bps < 0) || Math.abs(total / (27_500_000 * modcod.bitsPerSymbol) - 1) > 1e-9;
		});
		t.deepEqual(
			wrong.map(({pls, name}) => `${pls} ${name}`),
			[],
		);
	});
}

test('GSE leaves more for datagrams than MPE, by about the headers of transport packets', (t) => {
	const modcod = findModcod(seed);
	const mpe = linkBudget({...common, modcod}).ipRateBps;
	const gse = linkBudget({...common, modcod, encapsulation: 'gse'}).ipRateBps;
	t.true(gse / mpe > 1.02 && gse / mpe < 1.035, `${gse / mpe}`);
});

test('a code rate that a modulation does not have is refused with those that it has', (t) => {
	t.throws(() => findModcod({...seed, codeRate: '1/4'}), {
		code: 'HEADEND_MODCOD_UNKNOWN',
		message: /no 8PSK 1\/4 in normal frames\..* 3\/4, /u,
	});
});
