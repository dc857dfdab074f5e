import test from 'ava';
import {makeSeed, type SeedParts} from '#image/seed/make-seed.ts';
import {sampleClaim} from '#test/helper/sample-claim.ts';

const claim = JSON.stringify(sampleClaim);

test('nothing asked for is no seed', (t) => t.is(makeSeed({tags: []}, 1), undefined));

test('a seed has what was asked for and nothing else', (t) => {
	t.deepEqual(makeSeed({site: 'nairobi-3', tags: ['pilot']}, 1), {version: 1, site: 'nairobi-3', tags: ['pilot']});
});

test('a token takes its place in the claim', (t) => {
	const seed = makeSeed({claim, token: 'another-token-of-a-label\n'}, 1);
	t.is(seed?.claim?.token, 'another-token-of-a-label');
});

test('settings bring what only this box needs', (t) => {
	const network = '[{hardwareAddress: "52:54:00:00:01:02", addresses: [192.0.2.2/24]}]';
	const seed = makeSeed({settings: `config: {pop-node: {headendUrl: "http://192.0.2.1/"}}\nnetwork: ${network}\n`}, 1);
	t.deepEqual(seed?.config, {'pop-node': {headendUrl: 'http://192.0.2.1/'}});
	t.deepEqual(seed?.network?.[0]?.addresses, ['192.0.2.2/24']);
});

const isRefused = test.macro((t, parts: SeedParts, boxCount: number, why: RegExp) => {
	const error = t.throws(() => makeSeed(parts, boxCount), {code: 'FLASH_SEED_INVALID'});
	t.regex(error?.message ?? '', why);
});

test('a token without a claim', isRefused, {token: 'token-of-sixteen-characters'}, 1, /needs the claim/u);
test('a claim that is no JSON', isRefused, {claim: '{'}, 1, /no JSON/u);
test('a claim that is none', isRefused, {claim: '{"version": 2}'}, 1, /claim is wrong at version/u);
test('a token that is none', isRefused, {claim, token: 'short'}, 1, /token is wrong/u);
test('a site of no name', isRefused, {site: ''}, 1, /wrong at site/u);
test('a name for one box, and two disks', isRefused, {deviceId: 'box-1'}, 2, /one at a time/u);
test(
	'a claim for one box, and two disks',
	isRefused,
	{claim: JSON.stringify({...sampleClaim, deviceId: 'box-1'})},
	2,
	/one at a time/u,
);
test('settings that are no YAML', isRefused, {settings: '{'}, 1, /no YAML/u);
test('settings that say more', isRefused, {settings: 'site: nairobi'}, 1, /settings are wrong: .*site/u);
test('a network without addresses', isRefused, {settings: 'network: [{}]'}, 1, /settings are wrong at network\.0/u);
test(
	'a network of one box, and two disks',
	isRefused,
	{settings: 'network: [{hardwareAddress: "52:54:00:00:01:02", addresses: [192.0.2.2/24]}]'},
	2,
	/one at a time/u,
);
