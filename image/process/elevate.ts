import {readFileSync} from 'node:fs';
import {createInterface} from 'node:readline';
import {parseArgs} from 'node:util';
import {serveElevation} from '#appliance/diagnostics/elevate/serve-elevation.ts';
import {toolText} from '#appliance/diagnostics/run-tool.ts';
import {systemClock} from '#appliance/time/clock.ts';
import {anchorPath, elevateDirectory, systemHelpers} from '#image/process/box-units.ts';

/** The unit streamverse-elevate@.service, whose head says whom it trusts: one request on standard input, one answer. */
const startTimeoutMs = 30_000;
const supervisor = 'streamverse';

/** Debian has no way to ask for it without a process of its own. */
const userIdOf = (name: string): number => {
	const line = readFileSync('/etc/passwd', 'utf8')
		.split('\n')
		.find((each) => each.startsWith(`${name}:`));
	return Number(line?.split(':')[2] ?? Number.NaN);
};

/** Up to the end of the line: the connection stays open for the answer. */
const readLine = async (): Promise<string> => {
	for await (const line of createInterface({input: process.stdin})) {
		return line;
	}
	return '';
};

const {values} = parseArgs({options: {instance: {type: 'string', default: ''}}});
const answer = await serveElevation(await readLine(), {
	// systemd names an instance of a local socket by number, process and user (SO_PEERCRED).
	peerUserId: Number(values.instance.split('-').at(-1) || Number.NaN),
	supervisorUserId: userIdOf(supervisor),
	anchorPath,
	directory: elevateDirectory,
	terminalDirectory: '/dev/pts',
	openShell: async (terminal) => {
		const unit = systemHelpers.shellUnit(terminal, {elevated: true});
		const signal = AbortSignal.timeout(startTimeoutMs);
		await toolText('systemctl', {args: ['--no-ask-password', 'start', unit], bytesMax: 4096, signal});
	},
	clock: systemClock,
});
// For the journal: who was let in, and who was not.
process.stderr.write(`${JSON.stringify(answer)}\n`);
// Standard input is the same socket, which the other end keeps open.
process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit());
