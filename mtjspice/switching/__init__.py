"""P(I, t): one type, `SwitchingSurface`, and the engines that make one."""
