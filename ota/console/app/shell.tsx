import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import {useEffect} from 'preact/hooks';
import type {Overview} from '#ota/contract/box-api.ts';
import {Button} from '../component/button.tsx';
import {Icon} from '../component/icon.tsx';
import {Link} from '../component/link.tsx';
import {followChanges, type LiveState, liveState} from '../state/live.ts';
import {request} from '../state/request.ts';
import {path} from '../state/router.ts';
import {may, session, setSession} from '../state/session.ts';
import {dismiss, toasts} from '../state/toast.ts';
import {useResource} from '../state/use-resource.ts';
import {followKeys} from './follow-keys.ts';
import {OwnPassword} from './own-password.tsx';
import {Page} from './page.tsx';
import {places} from './place.ts';
import {ShortcutHelp} from './shortcut-help.tsx';

const liveText: Readonly<Record<LiveState, string>> = {
	connecting: 'Connecting …',
	following: 'Live',
	lost: 'Connection lost',
};

const signOut = async (): Promise<void> => {
	await request('DELETE', '/session').catch(() => undefined);
	setSession(null);
};

export const Shell = (): JSX.Element => {
	const isHelpOpen = useSignal(false);
	useEffect(() => followChanges(), []);
	useEffect(
		() =>
			followKeys(() => {
				isHelpOpen.value = true;
			}),
		[],
	);
	return (
		<>
			{liveState.value === 'lost' && (
				<p class="lost-banner" role="alert">
					Connection lost: what you see is the last that was heard. Trying again …
				</p>
			)}
			<div class="shell">
				<Rail
					onHelp={() => {
						isHelpOpen.value = true;
					}}
				/>
				<main class="main" tabIndex={-1}>
					<Page />
				</main>
			</div>
			{isHelpOpen.value && (
				<ShortcutHelp
					onClose={() => {
						isHelpOpen.value = false;
					}}
				/>
			)}
			<Toasts />
		</>
	);
};

const Rail = ({onHelp}: {readonly onHelp: () => void}): JSX.Element => {
	const isPasswordOpen = useSignal(false);
	const overview = useResource<Overview>('/overview', {live: ['alerts'], everyMs: 60_000});
	const alerts = overview.data.value?.alerts;
	const open = (alerts?.critical ?? 0) + (alerts?.warning ?? 0);
	return (
		<nav class="rail" aria-label="Console">
			<p class="wordmark">
				Stream<b>Verse</b>
				<small>Fleet</small>
			</p>
			{places
				.filter(({role}) => may(role))
				.map((place) => (
					<Link
						key={place.path}
						to={place.path}
						title={`${place.name} (g ${place.key})`}
						current={place.path === '/' ? path.value === '/' : path.value.startsWith(place.path)}
					>
						<Icon name={place.icon} />
						<span>{place.name}</span>
						{place.path === '/alerts' && open > 0 && <span class="count">{open}</span>}
					</Link>
				))}
			<div class="rail-foot">
				<span class="live" data-state={liveState.value} role="status">
					{liveText[liveState.value]}
				</span>
				<span>
					{session.value?.account.displayName}
					<br />
					<span class="faint">{session.value?.account.role}</span>
				</span>
				<span class="actions">
					<Button look="plain" title="Keyboard shortcuts (?)" onPress={onHelp}>
						<Icon name="help" />
					</Button>
					{session.value?.account.external === false && (
						<Button
							look="plain"
							title="Change your password"
							onPress={() => {
								isPasswordOpen.value = true;
							}}
						>
							<Icon name="claim" />
						</Button>
					)}
					<Button look="plain" title="Sign out" onPress={signOut}>
						<Icon name="out" />
					</Button>
				</span>
			</div>
			{isPasswordOpen.value && (
				<OwnPassword
					onClose={() => {
						isPasswordOpen.value = false;
					}}
				/>
			)}
		</nav>
	);
};

const Toasts = (): JSX.Element => (
	<div class="toasts" role="status" aria-live="polite">
		{toasts.value.map(({id, kind, text}) => (
			<div key={id} class="toast" data-kind={kind}>
				<Icon name={kind === 'done' ? 'check' : 'alert'} />
				<span>{text}</span>
				<Button look="plain" title="Dismiss" onPress={() => dismiss(id)}>
					<Icon name="close" />
				</Button>
			</div>
		))}
	</div>
);
