import {mkdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {identifyByHelper} from '#appliance/diagnostics/command/identify-by-helper.ts';
import {imageDirectory} from '#image/make/recipe.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withSocketUnit} from '#test/helper/with-socket-unit.ts';

const program = path.join(imageDirectory, 'process/identify.ts');
const startTimeoutMs = 30_000;

const withUnit = async (t: ExecutionContext, lights: Readonly<Record<string, string>>) => {
	const directory = await withDirectory(t);
	for (const [name, brightness] of Object.entries(lights)) {
		await mkdir(path.join(directory, name));
		await writeFile(path.join(directory, name, 'brightness'), brightness);
	}
	const command = [process.execPath, program, '--directory', directory];
	const {socketPath, processes} = await withSocketUnit(t, {command, passAs: 'standard'});
	const brightnessOf = async (name: string) => await readFile(path.join(directory, name, 'brightness'), 'utf8');
	return {identify: identifyByHelper(socketPath), processes, brightnessOf};
};

test('a box without a light says so through its helper', async (t) => {
	const {identify} = await withUnit(t, {});
	const signal = AbortSignal.timeout(startTimeoutMs);
	t.deepEqual(await identify({seconds: 1, signal}), {
		led: null,
		message: 'This box has no light that it could blink.',
	});
	await t.throwsAsync(identify({seconds: 301, signal}), {code: 'DIAGNOSTICS_COMMAND_FAILED', message: /300/u});
});

test('the light goes back to what it was when whoever asked has left', async (t) => {
	const {identify, processes, brightnessOf} = await withUnit(t, {status: '7'});
	const leaving = new AbortController();
	const blinking = identify({seconds: 300, signal: leaving.signal});
	await eventually('it blinks', async () => (await brightnessOf('status')) === '0', {timeoutMs: startTimeoutMs});
	leaving.abort();
	await t.throwsAsync(blinking, {name: 'AbortError'});
	await eventually('the end of the helper', () => processes[0]?.exitCode === 0, {timeoutMs: startTimeoutMs});
	t.is(await brightnessOf('status'), '7');
});

test('where nobody serves the light it is told', async (t) => {
	const identify = identifyByHelper('/nowhere/identify.socket');
	await t.throwsAsync(identify({seconds: 1, signal: AbortSignal.timeout(startTimeoutMs)}), {
		code: 'DIAGNOSTICS_NOT_HERE',
	});
});
