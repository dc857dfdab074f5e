import {useSignal} from '@preact/signals';
import type {ComponentChildren, JSX} from 'preact';

export type ButtonProps = {
	readonly look?: 'normal' | 'primary' | 'danger' | 'plain';
	readonly type?: 'button' | 'submit';
	readonly disabled?: boolean;
	readonly title?: string | undefined;
	/** A promise keeps the button from being pressed again until it ends. */
	readonly onPress?: () => unknown;
	readonly children: ComponentChildren;
};

/** What has words is named by them; its title says more. */
const isIcon = (children: ComponentChildren): boolean =>
	typeof children === 'object' && children !== null && !Array.isArray(children);

export const Button = (props: ButtonProps): JSX.Element => {
	const {look = 'normal', type = 'button', disabled = false, title, onPress, children} = props;
	const isBusy = useSignal(false);
	const press = async (): Promise<void> => {
		isBusy.value = true;
		try {
			await onPress?.();
		} finally {
			isBusy.value = false;
		}
	};
	return (
		<button
			type={type}
			class="button"
			data-look={look}
			title={title}
			aria-label={isIcon(children) ? title : undefined}
			disabled={disabled || isBusy.value}
			onClick={onPress === undefined ? undefined : () => void press()}
		>
			{children}
		</button>
	);
};
