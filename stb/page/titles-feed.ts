import type {StbTitles} from '#appliance/contract/stb-status-schema.ts';
import type {PageTitle} from './page-title.ts';

const intervalMs = 4000;
/** A box that starts has its first titles within seconds, and somebody is looking at an empty page. */
const firstIntervalMs = 1000;

/** Asks for the titles again and again; a failure keeps what is shown. */
export const followTitles = (onTitles: (titles: readonly PageTitle[]) => void): void => {
	let known = false;
	const ask = async (): Promise<void> => {
		try {
			const response = await fetch('/box/titles', {signal: AbortSignal.timeout(intervalMs)});
			if (response.ok) {
				const {titles} = (await response.json()) as StbTitles;
				known = titles.length > 0;
				onTitles(titles);
			}
		} catch {
			// The signal chip tells of a box that does not answer.
		}
		setTimeout(() => void ask(), known ? intervalMs : firstIntervalMs);
	};
	void ask();
};
