import {existsSync} from 'node:fs';
import {readdir, readFile} from 'node:fs/promises';
import test from 'ava';
import {foreignHeaders, post, readState, sampleClaim, shownCode, withCommission} from '#test/helper/with-commission.ts';

const boxId = 'stb-8c1f64a0b21e';
const wrong = 'AAAA-AAAA';

test('a box is reset by who types its name and the code of its console, also while it is nobody’s', async (t) => {
	const scene = await withCommission(t, {resets: true});
	t.like(await readState(scene), {takesReset: true, codeNeeded: false});
	for (const code of [undefined, '', wrong]) {
		t.is((await post(scene, 'factory-reset', {boxId, code})).status, 403, code);
	}
	t.false(existsSync(scene.resetRequestFile));
	const answer = await post(scene, 'factory-reset', {boxId, code: await shownCode(scene)});
	t.is(answer.status, 202);
	t.is(await readFile(scene.resetRequestFile, 'utf8'), '');
	t.deepEqual(
		(await readdir(scene.stateDirectory)).filter((name) => name.startsWith('factory-reset')),
		['factory-reset'],
	);
	t.deepEqual(scene.stops, [], 'who carries it out ends the supervisor');
});

test('a claimed box is reset no other way, and the code is good for once', async (t) => {
	const scene = await withCommission(t, {resets: true});
	const code = await shownCode(scene);
	await post(scene, 'claim', {claim: sampleClaim()});
	t.is((await post(scene, 'report', {technician: 'Ada', note: '', code})).status, 200);
	t.is((await post(scene, 'factory-reset', {boxId, code})).status, 403, 'it was used');
	t.false(existsSync(scene.resetRequestFile));
	t.is((await post(scene, 'factory-reset', {boxId, code: await shownCode(scene)})).status, 202);
	t.true(existsSync(scene.resetRequestFile));
});

test('another box’s name resets nothing, and costs no code', async (t) => {
	const scene = await withCommission(t, {resets: true});
	const code = await shownCode(scene);
	const refused = await post(scene, 'factory-reset', {boxId: 'stb-other', code});
	t.is(refused.status, 400);
	t.like(await refused.json(), {title: `This box is ${boxId}, and not what was typed.`});
	t.is((await post(scene, 'factory-reset', {code})).status, 400);
	t.false(existsSync(scene.resetRequestFile));
	t.is((await post(scene, 'factory-reset', {boxId, code})).status, 202);
});

test('no other page resets a box through a browser of the home, and nobody guesses the code', async (t) => {
	const scene = await withCommission(t, {resets: true});
	const code = await shownCode(scene);
	for (const headers of foreignHeaders) {
		t.is((await post(scene, 'factory-reset', {boxId, code}, headers)).status, 403, JSON.stringify(headers));
	}
	for (let count = 0; count < 5; count += 1) {
		t.is((await post(scene, 'factory-reset', {boxId, code: wrong})).status, 403);
	}
	t.is((await post(scene, 'factory-reset', {boxId, code})).status, 429);
	t.false(existsSync(scene.resetRequestFile));
});

test('where nobody would carry it out there is no reset', async (t) => {
	const scene = await withCommission(t);
	t.false((await readState(scene)).takesReset);
	t.is((await post(scene, 'factory-reset', {boxId, code: await shownCode(scene)})).status, 404);
	t.false(existsSync(scene.resetRequestFile));
});
