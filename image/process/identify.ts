import {once} from 'node:events';
import {createInterface} from 'node:readline';
import {parseArgs} from 'node:util';
import type {z} from 'zod';
import {identifyBox} from '#appliance/diagnostics/command/identify-box.ts';
import {type identifyAnswerSchema, identifySecondsSchema} from '#appliance/diagnostics/command/identify-by-helper.ts';
import {errorMessage} from '#appliance/error/coded-error.ts';

/** The unit streamverse-identify@.service: one request on standard input, one answer. It leaves with who asked. */
const {values} = parseArgs({options: {directory: {type: 'string', default: '/sys/class/leds'}}});
const left = new AbortController();
const lines = createInterface({input: process.stdin});
lines.once('close', () => left.abort(new DOMException('nobody waits for the light any more', 'AbortError')));

const answerTo = async (line: string): Promise<z.infer<typeof identifyAnswerSchema>> => {
	try {
		return await identifyBox({seconds: identifySecondsSchema.parse(line), signal: left.signal, ...values});
	} catch (error) {
		return {error: errorMessage(error)};
	}
};

const [line] = (await once(lines, 'line', {signal: left.signal}).catch(() => [''])) as [string];
process.stdout.write(`${JSON.stringify(await answerTo(line))}\n`, () => process.exit());
