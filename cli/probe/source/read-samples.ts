import {createReadStream} from 'node:fs';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {CliErrorCode} from '#cli/error-code.ts';
import type {Analysis} from '#cli/probe/analysis.ts';
import type {SignalReport} from '#cli/probe/report/probe-report.ts';
import type {SampleFormat} from '#cli/probe/source/find-source.ts';
import type {ReadOptions} from '#cli/probe/source/read-file.ts';
import {spectrumOf, spectrumSamples, toComplex} from '#cli/probe/source/spectrum.ts';
import {listModcods, type Modcod} from '#native/modem/modem.ts';
import {openReceiver, type ReceivedFrame, type ReceiverOptions} from '#native/modem/receiver.ts';

/** A few frames at a time, so that progress is seen and a stop is quick. */
const portionBytes = 512 * 1024;

export type SamplesOptions = ReadOptions & {
	readonly format: SampleFormat;
	readonly symbolRate: number;
	readonly samplesPerSymbol: number;
	readonly rollOff: ReceiverOptions['rollOff'];
	readonly goldIndex: number;
};

/**
 * Demodulates a file of I/Q and hands its frames on.
 * @throws CodedError CLI_PROBE_SAMPLES where no frame is found
 */
export const readSamplesFile = async (analysis: Analysis, options: SamplesOptions): Promise<SignalReport> => {
	const {path, signal, onProgress, format, symbolRate, samplesPerSymbol, rollOff, goldIndex} = options;
	const receiver = openReceiver({samplesPerSymbol, rollOff, goldIndex, format});
	const modcods = new Map(listModcods().map((modcod) => [modcod.pls, modcod]));
	const sampleBytes = format === 'float' ? 8 : 4;
	let head: Buffer = Buffer.alloc(0);
	let bytes = 0;
	let symbols = 0;
	let found: Modcod | undefined;
	const take = (frames: readonly ReceivedFrame[]): void => {
		for (const frame of frames) {
			const modcod = modcods.get(frame.pls);
			symbols += modcod?.frameSymbols ?? 0;
			if (frame.bytes !== undefined && modcod !== undefined) {
				found ??= modcod;
				const timeMs = (symbols * 1000) / symbolRate;
				analysis.takeStream(frame.bytes, () => timeMs, {bbFrameBits: modcod.bbFrameBits});
			}
		}
	};
	for await (const portion of createReadStream(path, {highWaterMark: portionBytes, signal}) as AsyncIterable<Buffer>) {
		head = head.length < spectrumSamples * sampleBytes ? Buffer.concat([head, portion]) : head;
		take(await receiver.write(portion));
		bytes += portion.length;
		onProgress(bytes);
	}
	take(await receiver.finish());
	const totals = await receiver.totals();
	if (found === undefined) {
		throw new CodedError<CliErrorCode>('CLI_PROBE_SAMPLES', {
			message:
				`${path} holds no DVB-S2 frame that can be decoded with ${samplesPerSymbol} samples per symbol, roll-off ` +
				`${rollOff} and Gold index ${goldIndex}; ${totals.failedFrames} were found and not decoded.`,
		});
	}
	return {
		modcod: `${found.name} ${found.frame}${found.pilots ? ' with pilots' : ''}`,
		...{symbolRate, frames: totals.frames, failedFrames: totals.failedFrames, merDb: totals.merDb},
		constellation: [...(await receiver.constellation())],
		spectrumDb: spectrumOf(toComplex(head, format)),
		sampleRate: symbolRate * samplesPerSymbol,
	};
};
