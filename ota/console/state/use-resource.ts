import {type ReadonlySignal, useSignal} from '@preact/signals';
import {useCallback, useEffect, useRef} from 'preact/hooks';
import {type LiveKind, onLiveChange} from './live.ts';
import {type Query, RequestError, request} from './request.ts';

export type Resource<Body> = {
	/** The last good answer; it stays while the next one is fetched, so that nothing jumps. */
	readonly data: ReadonlySignal<Body | undefined>;
	readonly etag: ReadonlySignal<string | undefined>;
	readonly error: ReadonlySignal<RequestError | undefined>;
	readonly reload: () => void;
};

export type ResourceOptions = {
	readonly query?: Query;
	/** Asked again when one of these changes. */
	readonly live?: readonly LiveKind[];
	/** Only when this id is among what changed. */
	readonly id?: string;
	/** Asked again after this, whatever the server told. */
	readonly everyMs?: number;
};

/** Changes come by the hundred while a rollout runs: the page asks again at most this often. */
const reloadMsMin = 1000;

/** What the server answers to a GET, kept fresh. No path = nothing is asked. */
export const useResource = <Body>(path: string | undefined, options: ResourceOptions = {}): Resource<Body> => {
	const data = useSignal<Body | undefined>(undefined);
	const etag = useSignal<string | undefined>(undefined);
	const error = useSignal<RequestError | undefined>(undefined);
	const loader = useRef<() => void>(() => undefined);
	const {query, live = [], id, everyMs} = options;
	const key = JSON.stringify([path, query, live, id]);

	useEffect(() => {
		if (path === undefined) {
			return;
		}
		const controller = new AbortController();
		let timer: ReturnType<typeof setTimeout> | undefined;
		let loadedAt = 0;
		let isLoading = false;
		let isWanted = false;
		const load = async (): Promise<void> => {
			isLoading = true;
			loadedAt = Date.now();
			try {
				const answer = await request<Body>('GET', path, {...(query && {query}), signal: controller.signal});
				data.value = answer.body;
				etag.value = answer.etag;
				error.value = undefined;
			} catch (caught) {
				if (!controller.signal.aborted && caught instanceof RequestError) {
					error.value = caught;
				}
			}
			isLoading = false;
			if (isWanted && !controller.signal.aborted) {
				isWanted = false;
				want();
			}
		};
		const want = (): void => {
			if (isLoading) {
				isWanted = true;
				return;
			}
			clearTimeout(timer);
			timer = setTimeout(() => void load(), Math.max(0, loadedAt + reloadMsMin - Date.now()));
		};
		loader.current = () => void load();
		void load();
		const stop = onLiveChange((change) => {
			const concerns = change !== undefined && live.includes(change.kind);
			if (change === undefined || (concerns && (id === undefined || (change.ids?.includes(id) ?? true)))) {
				want();
			}
		});
		const interval = everyMs === undefined ? undefined : setInterval(want, everyMs);
		return () => {
			controller.abort();
			stop();
			clearTimeout(timer);
			clearInterval(interval);
		};
	}, [key]);

	return {data, etag, error, reload: useCallback(() => loader.current(), [])};
};
