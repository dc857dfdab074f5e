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
			aria-label={title}
			disabled={disabled || isBusy.value}
			onClick={onPress === undefined ? undefined : () => void press()}
		>
			{children}
		</button>
	);
};
