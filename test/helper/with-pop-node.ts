import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {type PopNodeConfig, popNodeConfigSchema} from '#pop-node/config-schema.ts';
import {type PopNodeStatus, popNodeStatusSchema} from '#pop-node/repair/status.ts';
import {startPopNode} from '#pop-node/start.ts';

type Sections = {readonly [Key in 'store' | 'ingest' | 'repair' | 'accessLog']?: Partial<PopNodeConfig[Key]>};

export type TestPopNode = {
	readonly url: string;
	readonly stateDirectory: string;
	status(): Promise<PopNodeStatus>;
	get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
	stop(): Promise<void>;
};

/** A pop-node in this process on a free port, with short delays; stops and leaves nothing behind when the test ends. */
export const withPopNode = async (
	t: ExecutionContext,
	options: Sections & {readonly headendUrl: string; readonly stateDirectory?: string},
): Promise<TestPopNode> => {
	const {headendUrl, ...sections} = options;
	const stateDirectory = options.stateDirectory ?? (await mkdtemp(join(tmpdir(), 'pop-node-')));
	t.teardown(() => rm(stateDirectory, {recursive: true, force: true}));
	const {stateDirectory: _unused, ...rest} = sections;
	const controller = new AbortController();
	const running = await startPopNode({
		box: {id: deviceIdSchema.parse('pop-test'), kind: 'pop-node', stateDirectory},
		config: popNodeConfigSchema.parse({
			headendUrl,
			listen: {host: '127.0.0.1', port: 0},
			...rest,
			ingest: {retryDelayMinMs: 20, retryDelayMaxMs: 100, ...rest.ingest},
		}),
		logger: silentLogger(),
		signal: controller.signal,
	});
	const stop = async (): Promise<void> => {
		controller.abort();
		await running[Symbol.asyncDispose]();
	};
	t.teardown(stop);
	const url = running.endpoints['http'] ?? '';
	return {
		url,
		stateDirectory,
		stop,
		get: (path, headers = {}) => fetch(`${url}${path}`, {headers}),
		status: async () => popNodeStatusSchema.parse(await (await fetch(`${url}/status`)).json()),
	};
};
