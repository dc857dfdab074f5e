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
