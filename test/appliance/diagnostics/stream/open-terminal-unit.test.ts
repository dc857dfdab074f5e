import {readFileSync} from 'node:fs';
import {chmod, readdir, readlink, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {Reason} from '#appliance/contract/fleet/release-schema.ts';
import {openTerminalUnit, type TerminalUnitOptions} from '#appliance/diagnostics/stream/open-terminal-unit.ts';
import {eventually} from '#test/helper/eventually.ts';
import {isProcessAlive} from '#test/helper/is-process-alive.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withSocketUnit} from '#test/helper/with-socket-unit.ts';

/** As much of systemctl as a terminal asks of it: a shell on the terminal that the unit's instance names. */
const systemctl = (directory: string): string => `#!/bin/bash
number=\${3#*@} number=\${number%.service}
echo "$2 $3" >>${directory}/asked
case $2 in
start)
	setsid --ctty /bin/bash --norc -i <>/dev/pts/$number >&0 2>&1 &
	echo $! >${directory}/pid
	;;
stop) kill -KILL -- -"$(cat ${directory}/pid)" ;;
esac
`;

const withTerminal = async (
	t: ExecutionContext,
	options: Partial<TerminalUnitOptions> & {readonly elevate?: string; readonly script?: string} = {},
) => {
	const directory = await withDirectory(t);
	const command = path.join(directory, 'systemctl');
	await writeFile(command, options.script ?? systemctl(directory));
	await chmod(command, 0o755);
	const elevate = await withSocketUnit(t, {
		command: [
			'/bin/sh',
			'-c',
			`IFS= read -r line; printf '%s' "$line" >${directory}/request; ${options.elevate ?? ''}`,
		],
		passAs: 'standard',
	});
	let text = '';
	let end: Reason | undefined;
	const source = openTerminalUnit({
		...{columns: 80, rows: 24, elevated: false, order: undefined, keyChain: () => ['a.b.c']},
		helpers: {
			...{
				captureSocket: '',
				kernelLogSocket: '',
				identifySocket: '',
				elevateSocket: elevate.socketPath,
				systemctl: command,
			},
			shellUnit: (terminal, {elevated}) => `streamverse-${elevated ? 'root-shell' : 'shell'}@${terminal}.service`,
		},
		listener: {
			onText: (part) => {
				text += part;
			},
			onEnd: (reason) => {
				end = reason;
			},
		},
		...options,
	});
	t.teardown(async () => await source[Symbol.asyncDispose]());
	return {
		...{source, directory, command},
		text: () => text,
		end: () => end,
		asked: () => readFileSync(path.join(directory, 'asked'), 'utf8'),
		read: (name: string) => readFileSync(path.join(directory, name), 'utf8'),
		shellPid: () => Number(readFileSync(path.join(directory, 'pid'), 'utf8')),
	};
};

/** Of this process, that are pseudo-terminals. */
const terminals = async (): Promise<readonly string[]> => {
	const names = await readdir('/proc/self/fd');
	const links = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')));
	return links.filter((link) => /^\/dev\/(?:pts\/\d|ptmx)/u.test(link));
};

test.serial('a shell that systemd starts is typed to, resized and left', async (t) => {
	const before = (await terminals()).length;
	const {source, text, end, asked, shellPid} = await withTerminal(t);
	// Typed before there is anybody to read it.
	source.write('tty; stty size; echo "first"-here\n');
	await eventually('the answer', () => text().includes('first-here'));
	t.regex(text(), /24 80/u);
	const [, number] = /\/dev\/pts\/(\d+)/u.exec(text()) ?? [];
	t.regex(asked(), new RegExp(`^start streamverse-shell@${number}\\.service$`, 'mu'));
	source.resize({columns: 101, rows: 31});
	source.write('stty size\n');
	await eventually('the new size', () => text().includes('31 101'));
	source.write('exit\n');
	await eventually('the end', () => end());
	t.like(end(), {code: 'DIAGNOSTICS_SHELL_ENDED'});
	// It lets go of the terminal a moment before it is gone.
	await eventually('no shell', () => !isProcessAlive(shellPid()));
	await source[Symbol.asyncDispose]();
	t.is((await terminals()).length, before, 'nothing is left open');
});

test.serial('whoever leaves hangs up, and what does not hear it is stopped', async (t) => {
	const {source, text, asked, shellPid} = await withTerminal(t);
	source.write(`trap '' HUP; echo "trap"-set\n`);
	await eventually('the trap', () => text().includes('trap-set'));
	await source[Symbol.asyncDispose]();
	t.regex(asked(), /^stop streamverse-shell@\d+\.service$/mu);
	await eventually('no shell', () => !isProcessAlive(shellPid()));
});

test.serial('a reader that rests holds the shell back, and loses nothing', async (t) => {
	const {source, text} = await withTerminal(t);
	source.write('echo "re"ady\n');
	await eventually('the shell', () => text().includes('ready'));
	source.pause();
	source.write('seq 0 100000; echo "fin"ished\n');
	source.resume();
	await eventually('the rest', () => text().includes('finished'));
	t.is(text().match(/^\d+\r$/gmu)?.length, 100_001);
});

test.serial('what systemd refuses is told', async (t) => {
	const {end} = await withTerminal(t, {script: '#!/bin/sh\necho Access denied >&2\nexit 4\n'});
	await eventually('the end', () => end());
	t.regex(end()?.message ?? '', /Access denied/u);
});

test.serial('an elevated one is asked for with the fleet’s own order, and of nobody else', async (t) => {
	const before = (await terminals()).length;
	const {end, read, source} = await withTerminal(t, {
		...{elevated: true, order: 'd.e.f'},
		elevate: `echo '{"kind":"refused","reason":{"code":"MQTT_ORDER_REPLAYED","message":"It was used."}}'`,
	});
	await eventually('the end', () => end());
	t.deepEqual(end(), {code: 'MQTT_ORDER_REPLAYED', message: 'It was used.'});
	t.like(JSON.parse(read('request')), {order: 'd.e.f', keyChain: ['a.b.c']});
	t.throws(() => read('asked'), {code: 'ENOENT'}, 'systemctl was not asked');
	await source[Symbol.asyncDispose]();
	t.is((await terminals()).length, before, 'nothing is left open');
});

test.serial('without an order, and without an answer, there is no elevation', async (t) => {
	const lost = await withTerminal(t, {elevated: true});
	await eventually('the end', () => lost.end());
	t.regex(lost.end()?.message ?? '', /ask for it again/u);
	const silent = await withTerminal(t, {elevated: true, order: 'd.e.f', elevate: 'exit 1'});
	await eventually('the end', () => silent.end());
	t.like(silent.end(), {code: 'DIAGNOSTICS_NOT_PERMITTED'});
});

test.serial('an elevated shell begins on the terminal that was opened', async (t) => {
	const {source, text, end} = await withTerminal(t, {
		...{elevated: true, order: 'd.e.f'},
		elevate: `number=$(echo "$line" | sed 's/.*"terminal"://; s/}.*//')
			setsid --ctty /bin/bash --norc -i <>/dev/pts/$number >/dev/pts/$number 2>&1 &
			echo '{"kind":"opened"}'`,
	});
	source.write('echo "in"side; exit\n');
	await eventually('the shell', () => text().includes('inside'));
	await eventually('the end', () => end());
	t.like(end(), {code: 'DIAGNOSTICS_SHELL_ENDED'});
});
