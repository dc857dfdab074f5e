import type {ExecutionContext} from 'ava';
import {eventually} from '#test/helper/eventually.ts';
import {createStreamPage, type StreamPageClient} from '#test/helper/stream-page.ts';
import type {TestFleet} from '#test/helper/with-fleet.ts';

/** A program that a machine runs for the first time is read from its disk, and computed by ours. */
export const answerTimeoutMs = 3 * 60_000;

export type Shell = {
	/** What a command printed. */
	readonly run: (command: string, timeoutMs?: number) => Promise<string>;
	readonly leave: () => Promise<void>;
};

/** The NOC's terminal on a machine. */
export const withMachineShell = async (
	t: ExecutionContext,
	{
		fleet,
		machine,
		elevated,
	}: {readonly fleet: TestFleet; readonly machine: {readonly id: string}; readonly elevated: boolean},
): Promise<Shell> => {
	const headers = {Authorization: `Bearer ${fleet.token}`};
	const page: StreamPageClient = createStreamPage({url: fleet.url, box: machine.id, headers});
	t.teardown(() => page.cut());
	await page.connect(`kind=terminal&columns=200&rows=50&elevated=${elevated}`);
	let count = 0;
	const run = async (command: string, timeoutMs = answerTimeoutMs): Promise<string> => {
		count += 1;
		const mark = `=${count}=${elevated ? 'root' : 'shell'}=`;
		// What the terminal echoes of the command must not look like its end.
		page.type(` { ${command}; } 2>&1; echo "${mark}""end"\n`);
		const from = page.text().length;
		const answer = await eventually(
			`the answer to ${command}`,
			() => {
				const told = page.text().slice(from);
				return (told.includes(`${mark}end`) || page.closed() !== undefined) && told;
			},
			{timeoutMs, intervalMs: 200},
		).catch((cause: unknown) => {
			throw new Error(`no answer to ${command}: ${page.text().slice(from)}`, {cause});
		});
		if (!answer.includes(`${mark}end`)) {
			throw new Error(`the terminal was closed: ${JSON.stringify(page.closed())}`);
		}
		return answer.replaceAll('\r', '');
	};
	// What is typed must not be taken for what is answered, and neither must a prompt, which comes after an answer's end.
	await run(`stty -echo; bind 'set enable-bracketed-paste off'; PS1=`);
	return {
		run,
		leave: async () => {
			page.type(' exit\n');
			await eventually('the end of the shell', () => page.closed(), {timeoutMs: answerTimeoutMs, intervalMs: 200});
		},
	};
};
