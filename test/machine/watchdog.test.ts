import {join} from 'node:path';
import test from 'ava';
import {makeDisk} from '#image/qemu/run-image.ts';
import {startMachine} from '#image/qemu/start-machine.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {testImage} from '#test/helper/with-image.ts';
import {bootTimeoutMs} from '#test/helper/with-machine.ts';

const testTimeoutMs = 30 * 60_000;

test('a machine that hangs before systemd is reset by its watchdog, and the boot counts as a try', async (t) => {
	t.timeout(testTimeoutMs);
	// It waits for somebody to type, as a kernel and an initrd do that came up well and go on to nothing.
	const image = await testImage({release: '1.0.0', kernelArguments: 'init=/usr/bin/cat'});
	const directory = await withDirectory(t);
	const diskPath = join(directory, 'disk.img');
	await makeDisk(image.diskPath, diskPath);
	const signal = AbortSignal.timeout(testTimeoutMs);
	await using machine = await startMachine({
		...{diskPath, architecture: image.architecture, stateDirectory: directory, signal},
	});
	for (const tries of [1, 2]) {
		const tried = new RegExp(`boot slot A, .* A ok 1 try ${tries}`, 'u');
		const [line] = await machine.serial.waitFor(tried, {timeoutMs: bootTimeoutMs, signal});
		t.log(line);
	}
	t.notRegex(machine.serial.lines().join('\n'), /Kernel panic/u);
});
